// Fields, buttons and messages of a widget. A number has a text field and perhaps a slider, a choice
// has a list, a switch a box to tick. The kernel judges what is typed; a slider sends its latest
// value once the one before was answered.

const newId = () => `lengthlab-${Math.random().toString(36).slice(2)}`;

function make(tag, properties) {
  const el = Object.assign(document.createElement(tag), properties);
  el.dataset.lmSuppressShortcuts = "true"; // JupyterLab has its own use for the arrow keys
  return el;
}

function row(label, ...inputs) {
  inputs.at(-1).id = newId();
  const el = document.createElement("div");
  el.append(make("label", { htmlFor: inputs.at(-1).id, textContent: label }), ...inputs);
  return el;
}

class Choice {
  constructor(spec, send) {
    this.select = make("select", {});
    this.el = row(spec.label, this.select);
    this.inputs = [this.select];
    this.select.addEventListener("change", () => send(spec.name, this.select.value));
  }

  offer(options) {
    this.select.replaceChildren(...options.map((text) => new Option(text)));
  }

  get isBusy() {
    return false;
  }

  show(value) {
    this.select.value = value;
  }

  refuse(value) {
    this.show(value); // nothing was typed that could be mended
  }
}

class Switch {
  constructor(spec, send) {
    this.box = make("input", { type: "checkbox" });
    this.el = row(spec.label, this.box);
    this.inputs = [this.box];
    this.box.addEventListener("change", () => send(spec.name, this.box.checked ? "on" : "off"));
  }

  get isBusy() {
    return false;
  }

  show(value) {
    this.box.checked = value;
  }

  refuse(value) {
    this.show(value);
  }
}

class Typed {
  constructor(spec, send) {
    this.spec = spec;
    this.send = send;
    this.text = make("input", { type: "text", autocomplete: "off", spellcheck: false });
    this.inputs = [...this.before(), this.text];
    this.el = row(spec.label, ...this.inputs);
    this.el.classList.toggle("lengthlab-wide", spec.kind === "text");
    this.text.addEventListener("change", () => this.commit());
    this.text.addEventListener("keydown", (event) => event.key === "Enter" && this.commit());
  }

  // Enter is followed by a change of its own in some browsers.
  commit() {
    if (this.text.value === this.committed) return;
    this.committed = this.text.value;
    this.send(this.spec.name, this.committed);
  }

  // Half-typed text is the reader's.
  get isBusy() {
    return document.activeElement === this.text && this.text.value !== this.committed;
  }

  before() {
    return [];
  }

  show(value) {
    this.text.value = this.committed = String(value);
    this.text.removeAttribute("aria-invalid");
  }

  refuse(value, alert) {
    this.text.setAttribute("aria-invalid", "true");
    this.text.setAttribute("aria-errormessage", alert);
  }
}

class Numeric extends Typed {
  before() {
    return this.spec.max === undefined ? [] : [this.buildSlider()];
  }

  buildSlider() {
    const { min, max, log, step, label } = this.spec;
    const place = (x) => (log ? Math.log10(x) : x);
    this.slider = make("input", { type: "range" });
    Object.assign(this.slider, { min: place(min), max: place(max), step: log ? "any" : step });
    this.slider.setAttribute("aria-label", `${label} slider`);
    this.slider.addEventListener("input", () => {
      const value = this.fromSlider();
      this.text.value = this.committed = String(value);
      this.slider.setAttribute("aria-valuetext", value);
      this.send(this.spec.name, this.committed);
    });
    // The browser's own step on a log scale would be a fraction of the range: a tenth of a decade.
    if (log) this.slider.addEventListener("keydown", (event) => this.stepLog(event));
    return this.slider;
  }

  stepLog(event) {
    const up = ["ArrowRight", "ArrowUp"].includes(event.key);
    if (!up && !["ArrowLeft", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const before = this.fromSlider();
    for (let step = 1; step <= 10 && this.fromSlider() === before; step += 1) {
      this.slider.value = Number(this.slider.value) + (up ? 0.1 : -0.1);
    }
    this.slider.dispatchEvent(new Event("input"));
  }

  fromSlider() {
    const x = Number(this.slider.value);
    const value = Number(this.spec.log ? (10 ** x).toPrecision(2) : x.toPrecision(6));
    return this.spec.whole ? Math.round(value) : value;
  }

  show(value) {
    if (this.slider) {
      this.slider.value = this.spec.log ? Math.log10(value) : value;
      this.slider.setAttribute("aria-valuetext", value);
    }
    super.show(value);
  }
}

const KINDS = { number: Numeric, choice: Choice, text: Typed, switch: Switch };
const BUTTONS = { run: "Run", same: "Same seed", new: "New seed" };

class PanelView {
  constructor(panel, el) {
    this.fields = new Map();
    this.sight = make("div", { className: "lengthlab-fields" });
    this.more = make("div", { className: "lengthlab-fields", hidden: true, id: newId() });
    this.buttons = make("div", { className: "lengthlab-buttons" });
    this.alert = make("p", { className: "lengthlab-alert", id: newId() });
    this.alert.setAttribute("role", "alert");
    this.notes = make("p", {});
    this.status = make("p", { className: "lengthlab-unseen" });
    this.status.setAttribute("role", "status");
    for (const spec of panel.model.get("_fields")) {
      const field = new KINDS[spec.kind](spec, (name, text) => panel.edit(this, name, text));
      this.fields.set(spec.name, field);
      (spec.more ? this.more : this.sight).append(field.el);
    }
    for (const name of panel.model.get("_buttons")) {
      this[name] = this.addButton(BUTTONS[name], () => panel.press(name));
    }
    this.saves = make("div", { className: "lengthlab-buttons" });
    for (const form of panel.model.get("_forms")) {
      this.addButton(`Save ${form.toUpperCase()}`, () => panel.save(form), this.saves);
    }
    if (this.saves.childElementCount) this.more.append(this.saves);
    if (this.more.childElementCount) this.addDisclosure();
    el.classList.add("lengthlab-panel");
    el.append(this.sight, this.buttons, this.more, this.alert, this.notes, this.status);
  }

  inputs() {
    const buttons = [...this.buttons.children, ...this.saves.children];
    return [...buttons, ...[...this.fields.values()].flatMap((f) => f.inputs)];
  }

  addButton(textContent, press, place = this.buttons) {
    const button = make("button", { type: "button", textContent });
    button.addEventListener("click", press);
    place.append(button);
    return button;
  }

  addDisclosure() {
    const button = this.addButton("More", () => {
      this.more.hidden = !this.more.hidden;
      button.setAttribute("aria-expanded", String(!this.more.hidden));
    });
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", this.more.id);
  }
}

class Panel {
  constructor(model) {
    this.model = model;
    this.views = new Set();
    this.queue = []; // what the kernel is told next, one by one: { view, kind, name, text }
    this.asked = null; // the edit that it has not answered yet
    this.saving = 0; // files asked for by this page: the kernel's answer reaches all pages
    model.on("change:_values", () => this.showValues());
    model.on("change:_options", () => this.showOptions());
    for (const name of ["running", "message", "status", "_notes"]) {
      model.on(`change:${name}`, () => this.showState());
    }
    model.on("msg:custom", (message, buffers) => {
      if (message.kind === "edited") this.answered(message);
      else if (message.kind === "file") this.handOver(message, buffers[0]);
    });
    model.on("comm_live_update", () => model.comm_live || this.end());
  }

  // Of several values for a field that wait, the latest counts.
  edit(view, name, text) {
    const waiting = this.queue.find((item) => item.name === name);
    if (waiting) Object.assign(waiting, { view, text });
    else this.queue.push({ view, kind: "edit", name, text });
    this.tell();
  }

  press(button) {
    this.queue.push({ kind: "press", button });
    this.tell();
  }

  save(form) {
    this.saving += 1;
    this.queue.push({ kind: "save", form });
    this.tell();
  }

  tell() {
    while (!this.asked && this.queue.length) {
      const { view, ...message } = this.queue.shift();
      if (message.kind === "edit") this.asked = { view, name: message.name };
      try {
        this.model.send(message);
      } catch {
        this.end();
      }
    }
  }

  handOver({ form, mime }, data) {
    if (!this.saving) return;
    this.saving -= 1;
    const href = URL.createObjectURL(new Blob([data], { type: mime }));
    make("a", { href, download: `lengthlab.${form}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  }

  answered({ name, accepted }) {
    const view = this.asked?.view;
    this.asked = null;
    if (accepted) this.showValues(name);
    else view?.fields.get(name).refuse(this.model.get("_values")[name], view.alert.id);
    this.tell();
  }

  // The kernel is gone: say so, and take nothing that nobody would hear.
  end() {
    this.queue = [];
    for (const view of this.views) {
      view.alert.textContent = "The kernel is gone: run the cell again.";
      for (const input of view.inputs()) input.disabled = true;
    }
  }

  showOptions() {
    for (const [name, options] of Object.entries(this.model.get("_options"))) {
      for (const { fields } of this.views) fields.get(name)?.offer(options);
    }
    this.showValues();
  }

  // A field whose value is on its way to the kernel, or being typed, is left alone.
  showValues(accepted = null) {
    const underway = new Set([this.asked?.name, ...this.queue.map((item) => item.name)]);
    for (const { fields } of this.views) {
      for (const [name, value] of Object.entries(this.model.get("_values"))) {
        const field = fields.get(name);
        if (!underway.has(name) && (name === accepted || !field.isBusy)) field.show(value);
      }
    }
  }

  showState() {
    for (const view of this.views) {
      if (view.run) view.run.textContent = this.model.get("running") ? "Pause" : "Run";
      view.alert.textContent = this.model.get("message");
      view.status.textContent = this.model.get("status");
      view.notes.textContent = this.model.get("_notes").join("\n");
    }
  }

  show(el) {
    const view = new PanelView(this, el);
    this.views.add(view);
    this.showOptions();
    this.showState();
    return () => {
      this.views.delete(view);
      el.replaceChildren(); // the page may keep the empty element
    };
  }

  close() {
    this.queue = [];
  }
}

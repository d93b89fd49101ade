// Values to edit, all in one widget: a number has a text field and perhaps a slider, a choice has a
// list. The kernel judges what is typed; a slider sends its latest value once the one before was
// answered.

function make(tag, properties) {
  const el = Object.assign(document.createElement(tag), properties);
  el.dataset.lmSuppressShortcuts = "true"; // JupyterLab has its own use for the arrow keys
  return el;
}

function row(label, ...inputs) {
  inputs.at(-1).id = `lengthlab-${Math.random().toString(36).slice(2)}`;
  const el = document.createElement("div");
  el.append(make("label", { htmlFor: inputs.at(-1).id, textContent: label }), ...inputs);
  return el;
}

class Choice {
  constructor(spec, send) {
    this.select = make("select", {});
    this.el = row(spec.label, this.select);
    this.select.addEventListener("change", () => send(spec.name, this.select.value));
  }

  offer(options) {
    this.select.replaceChildren(...options.map((text) => new Option(text)));
  }

  show(value) {
    this.select.value = value;
  }

  refuse() {}
}

class Numeric {
  constructor(spec, send) {
    this.spec = spec;
    this.send = send;
    this.text = make("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
    const inputs = spec.max === undefined ? [this.text] : [this.buildSlider(), this.text];
    this.el = row(spec.label, ...inputs);
    this.text.addEventListener("change", () => this.commit());
    this.text.addEventListener("keydown", (event) => event.key === "Enter" && this.commit());
  }

  // Enter is followed by a change of its own in some browsers.
  commit() {
    if (this.text.value === this.committed) return;
    this.committed = this.text.value;
    this.send(this.spec.name, this.committed);
  }

  buildSlider() {
    const { min, max, log, step, label } = this.spec;
    const place = (x) => (log ? Math.log10(x) : x);
    this.slider = make("input", { type: "range" });
    Object.assign(this.slider, { min: place(min), max: place(max), step: log ? "any" : step });
    this.slider.setAttribute("aria-label", `${label} slider`);
    this.slider.addEventListener("input", () => {
      const value = this.fromSlider();
      this.text.value = value;
      this.slider.setAttribute("aria-valuetext", value);
      this.send(this.spec.name, String(value));
    });
    // The browser's own step on a log scale would be a fraction of the range: a tenth of a decade.
    if (log) this.slider.addEventListener("keydown", (event) => this.stepLog(event));
    return this.slider;
  }

  stepLog(event) {
    const up = ["ArrowRight", "ArrowUp"].includes(event.key);
    if (!up && !["ArrowLeft", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    this.slider.value = Number(this.slider.value) + (up ? 0.1 : -0.1);
    this.slider.dispatchEvent(new Event("input"));
  }

  fromSlider() {
    const x = Number(this.slider.value);
    return this.spec.log ? Number((10 ** x).toPrecision(2)) : Number(x.toPrecision(6));
  }

  show(value) {
    if (this.slider && document.activeElement !== this.slider) {
      this.slider.value = this.spec.log ? Math.log10(value) : value;
    }
    this.slider?.setAttribute("aria-valuetext", value);
    this.text.value = value;
    this.committed = this.text.value;
    this.text.removeAttribute("aria-invalid");
  }

  refuse() {
    this.text.setAttribute("aria-invalid", "true");
  }
}

class Form {
  constructor(model) {
    this.model = model;
    this.views = new Set();
    this.waiting = null; // what to send when the kernel has answered
    this.sent = 0; // when the last one was sent, while it is not answered
    model.on("change:values", () => this.show());
    model.on("change:options", () => this.offer());
    model.on("msg:custom", (message) => this.answered(message));
  }

  send(name, text) {
    if (this.sent && performance.now() - this.sent < 2000) {
      this.waiting = [name, text];
      return;
    }
    this.sent = performance.now();
    this.waiting = null;
    this.model.send({ kind: "edit", name, text });
  }

  answered({ name, accepted }) {
    this.sent = 0;
    if (this.waiting) {
      this.send(...this.waiting);
    } else if (accepted) {
      this.show();
    } else {
      for (const fields of this.views) fields.get(name).refuse();
    }
  }

  offer() {
    for (const [name, options] of Object.entries(this.model.get("options"))) {
      for (const fields of this.views) fields.get(name).offer(options);
    }
    this.show();
  }

  show() {
    const values = this.model.get("values");
    for (const fields of this.views) {
      for (const [name, field] of fields) if (name in values) field.show(values[name]);
    }
  }

  render(el) {
    const fields = new Map();
    el.classList.add("lengthlab-fields");
    for (const spec of this.model.get("fields")) {
      const Kind = spec.name in this.model.get("options") ? Choice : Numeric;
      const field = new Kind(spec, (name, text) => this.send(name, text));
      fields.set(spec.name, field);
      el.append(field.el);
    }
    this.views.add(fields);
    this.offer();
    return () => this.views.delete(fields);
  }
}

export default () => {
  let form;
  return {
    initialize({ model }) {
      form = new Form(model);
    },
    render: ({ el }) => form.render(el),
  };
};

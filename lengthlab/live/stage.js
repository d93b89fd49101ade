// The views of one widget: a canvas, a readout and a line for what went wrong in each of them.

const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
const SETTLED = 100; // ms without a change of size
const AT_REST = 300; // ms without a change of a control, after which slow work may begin
const PACE = 33; // ms between two places of a drag

class Stage {
  constructor(model) {
    this.model = model;
    this.views = new Set();
    this.still = null; // { number, size, units }: bitmaps and the order of things
    this.frame = null; // { message, record }
    this.asking = ""; // the size that was asked for last
    this.pump = new Pump(model, () => this.visible().length > 0);
    model.on("msg:custom", (message, buffers) => this.receive(message, buffers));
    model.on("change:running", () => this.pump.ask());
    model.on("change:fps", () => this.pump.ask());
    model.on("comm_live_update", () => this.pump.disconnect());
  }

  visible() {
    if (document.visibilityState !== "visible") return [];
    return [...this.views].filter((view) => view.onScreen && view.canvas.isConnected);
  }

  // From the kernel

  receive(message, buffers) {
    if (message.kind !== "frame") return;
    if (message.error !== undefined) {
      for (const view of this.views) view.alert.textContent = message.error;
    } else {
      this.keep(message, unpack(message, buffers[0]));
      this.finishLater(message);
    }
    this.pump.heard(message.slot);
  }

  keep(message, record) {
    const { still, number } = message;
    if (still && (still.base === 0 || still.base === this.still?.number)) {
      const units = { ...(still.base ? this.still.units : {}), ...rasterised(still, record) };
      this.still = { number, size: still.size, units };
    }
    if (number === this.still?.number) {
      this.frame = { message, record };
      this.schedule();
    } else {
      this.askForSize(true); // joined late: this frame belongs to a still part sent before
    }
  }

  // What is slow waits until no control moves: an unasked frame shows that one does.
  finishLater({ due, slot }) {
    if (slot === null || !due) this.forgetToFinish();
    if (!due || this.finishing) return;
    this.finishing = setTimeout(() => {
      this.finishing = 0;
      if (this.pump.connected && this.visible().length) this.pump.send({ kind: "finish" });
    }, AT_REST);
  }

  forgetToFinish() {
    clearTimeout(this.finishing);
    this.finishing = 0;
  }

  // To the screen

  schedule() {
    this.request ||= requestAnimationFrame(() => {
      this.request = 0;
      for (const view of this.views) this.paint(view);
    });
  }

  paint(view) {
    if (!this.frame || !view.canvas.isConnected) return;
    const { canvas } = view;
    const { message, record } = this.frame;
    const [width, height] = this.still.size;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const g = canvas.getContext("2d");
    g.clearRect(0, 0, width, height);
    const paintUnit = (unit) => {
      for (const part of this.still.units[unit]) {
        if (part.canvas) g.drawImage(part.canvas, part.x, part.y);
        else if (part.unit !== undefined) paintUnit(part.unit);
        else paint(g, record, message.moving[part.moving]);
      }
    };
    paintUnit(0);
    if (view.painted !== message) {
      view.painted = message;
      canvas.dataset.frame = 1 + Number(canvas.dataset.frame);
      canvas.dataset.generation = message.generation;
      view.alert.textContent = "";
      showReadout(view.readout, message.readout);
    }
  }

  // The widest visible view decides.
  askForSize(fresh = false) {
    const limit = this.model.get("max_width");
    const widths = this.visible().map((view) => Math.min(view.canvas.clientWidth, limit));
    const width = Math.max(0, ...widths);
    if (!width) return;
    const size = { kind: "view", width, ratio: window.devicePixelRatio || 1 };
    const asking = JSON.stringify(size);
    if (fresh || asking !== this.asking) {
      this.asking = asking;
      this.pump.send({ ...size, fresh: fresh || !this.still });
    }
  }

  seen() {
    this.askForSize();
    if (this.frame) this.finishLater(this.frame.message);
    this.pump.ask();
  }

  // Views

  show(el) {
    const view = this.build(el);
    const controller = new AbortController();
    const { signal } = controller;
    this.listen(view.canvas, signal);
    let timer = 0;
    const sized = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => this.askForSize(), this.still ? SETTLED : 0);
    });
    const crossed = new IntersectionObserver((entries) => {
      view.onScreen = entries.at(-1).isIntersecting;
      this.seen();
    });
    sized.observe(view.canvas);
    crossed.observe(view.canvas);
    document.addEventListener("visibilitychange", () => this.seen(), { signal });
    window.addEventListener("resize", () => this.askForSize(), { signal }); // or another screen
    const dress = () => {
      view.canvas.setAttribute("aria-label", this.model.get("alt"));
      view.canvas.style.maxWidth = `${this.model.get("max_width")}px`;
    };
    dress();
    const dressing = ["change:alt", "change:max_width"];
    for (const change of dressing) this.model.on(change, dress);
    this.views.add(view);
    this.schedule();
    return () => {
      controller.abort();
      clearTimeout(timer);
      sized.disconnect();
      crossed.disconnect();
      for (const change of dressing) this.model.off(change, dress);
      this.views.delete(view);
      this.askForSize();
      // The page keeps removed elements, and this function, for long: let them hold nothing.
      el.replaceChildren();
      view.canvas.width = view.canvas.height = 0;
      view.canvas = view.readout = view.alert = null;
    };
  }

  build(el) {
    const canvas = newCanvas(300, Math.round(300 * this.model.get("aspect")));
    canvas.setAttribute("role", "img");
    canvas.tabIndex = 0;
    canvas.dataset.lmSuppressShortcuts = "true"; // JupyterLab hears keys before the canvas does
    canvas.dataset.frame = 0;
    canvas.classList.toggle("lengthlab-pick", this.model.get("_takes_picks"));
    const readout = document.createElement("dl");
    const alert = document.createElement("p");
    readout.className = "lengthlab-readout";
    alert.className = "lengthlab-alert";
    alert.setAttribute("role", "alert");
    el.classList.add("lengthlab-live");
    el.append(canvas, readout, alert);
    return { canvas, readout, alert, onScreen: false, painted: null };
  }

  listen(canvas, signal) {
    canvas.addEventListener("keydown", (event) => this.press(event), { signal });
    if (this.model.get("_takes_drags")) this.listenToDrags(canvas, signal);
    else canvas.addEventListener("click", (event) => this.point("pick", event), { signal });
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") {
      this.model.set("running", !this.model.get("running"));
      this.model.save_changes();
    } else if (KEYS.includes(event.key) && this.model.get("_takes_keys")) {
      this.pump.send({ kind: "key", key: event.key });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation(); // the notebook has its own use for these
  }

  listenToDrags(canvas, signal) {
    let due = 0;
    canvas.style.touchAction = "none";
    const on = (name, act) => canvas.addEventListener(name, act, { signal });
    on("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      due = event.timeStamp + PACE;
      this.point("pick", event);
    });
    on("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId) || event.timeStamp < due) return;
      due = event.timeStamp + PACE;
      this.point("drag", event);
    });
    on("pointerup", (event) => this.point("drag", event));
  }

  point(kind, event) {
    if (!this.model.get("_takes_picks")) return;
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    this.pump.send({ kind, x, y });
  }

  close() {
    cancelAnimationFrame(this.request);
    this.forgetToFinish();
    this.pump.stop();
    this.pump.connected = false;
    this.still = this.frame = null;
  }
}

function rasterised(still, record) {
  const keep = (part) => (part.layer ? bitmap(record, part.layer, part.box) : part);
  const units = Object.entries(still.units);
  return Object.fromEntries(units.map(([unit, pile]) => [unit, pile.map(keep)]));
}

function showReadout(list, pairs) {
  while (list.childElementCount > pairs.length) list.lastElementChild.remove();
  while (list.childElementCount < pairs.length) {
    const entry = document.createElement("div");
    entry.append(document.createElement("dt"), document.createElement("dd"));
    list.append(entry);
  }
  pairs.forEach((pair, k) => {
    pair.forEach((text, column) => {
      const cell = list.children[k].children[column];
      if (cell.textContent !== text) cell.textContent = text;
    });
  });
}

// The browser asks for frames and the kernel answers. Nothing is asked that nobody would see.

const PATIENCE = 10_000; // ms of silence after which answers count as lost
const MOVING = 300; // ms after an unasked frame during which a control counts as moving
const SLOW = 1.8; // frames of round trip above which a third request is worth while

class Pump {
  constructor(model, isSeen) {
    this.model = model;
    this.isSeen = isSeen;
    this.asked = new Map(); // slot -> when
    this.slot = Math.floor(Math.random() * 2 ** 40); // another page may ask the same model
    this.due = 0;
    this.roundTrip = 0;
    this.patience = PATIENCE;
    this.connected = true;
    this.moved = -MOVING;
    this.timer = this.watchdog = 0;
  }

  get room() {
    if (this.patience > PATIENCE) return 1; // a busy kernel will answer all that waits for it
    if (performance.now() - this.moved < MOVING) return 1; // the control's next word comes first
    return (this.roundTrip * this.model.get("fps")) / 1000 > SLOW ? 3 : 2;
  }

  get wanted() {
    return this.connected && this.model.get("running") && this.isSeen();
  }

  ask() {
    clearTimeout(this.timer);
    while (this.wanted && this.asked.size < this.room) {
      const now = performance.now();
      const interval = 1000 / this.model.get("fps");
      if (this.due > now + 1) {
        this.timer = setTimeout(() => this.ask(), this.due - now);
        return;
      }
      this.due = Math.max(this.due, now - interval / 2) + interval; // a late one is made up for
      this.asked.set(++this.slot, now);
      this.watch();
      this.send({ kind: "frame", slot: this.slot });
    }
  }

  // Any message of the kernel shows that it lives; only an answer frees a slot.
  heard(slot) {
    this.connected = true;
    this.patience = PATIENCE;
    if (slot === null) this.moved = performance.now();
    if (this.asked.has(slot)) {
      // One long wait is a busy kernel, not a slow link.
      const longest = (2000 * SLOW) / this.model.get("fps");
      const waited = Math.min(performance.now() - this.asked.get(slot), longest);
      this.roundTrip += 0.2 * (waited - this.roundTrip);
      this.asked.delete(slot);
    }
    this.watch();
    this.ask();
  }

  watch() {
    clearTimeout(this.watchdog);
    if (this.asked.size) this.watchdog = setTimeout(() => this.giveUp(), this.patience);
  }

  giveUp() {
    this.asked.clear();
    this.patience *= 2;
    this.ask();
  }

  send(content) {
    try {
      this.model.send(content);
    } catch {
      this.disconnect(); // its kernel is gone
    }
  }

  disconnect() {
    this.connected = false;
    this.stop();
  }

  stop() {
    this.asked.clear();
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
  }
}

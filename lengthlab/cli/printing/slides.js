"use strict";
// Turn the slides over: arrows, page keys, space, home and end, or the buttons. #7 is slide 7.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const where = document.getElementById("where");
  let now = 0;
  function show(wanted) {
    now = Math.min(Math.max(wanted, 0), slides.length - 1);
    slides.forEach((slide, k) => slide.classList.toggle("shown", k === now));
    slides[now].scrollTop = 0;
    where.textContent = `${now + 1} / ${slides.length}`;
    history.replaceState(null, "", `#${now + 1}`);
  }
  function named() {
    const name = decodeURIComponent(location.hash.slice(1));
    const place = slides.findIndex((slide) => slide.id === name);
    return place >= 0 ? place : (Number.parseInt(name, 10) || 1) - 1;
  }
  const steps = {
    ArrowRight: 1, PageDown: 1, " ": 1, Enter: 1,
    ArrowLeft: -1, PageUp: -1, Backspace: -1,
    Home: -Infinity, End: Infinity,
  };
  document.addEventListener("keydown", (event) => {
    const plain = !(event.ctrlKey || event.altKey || event.metaKey);
    const inside = event.target.closest("summary, a, button");
    const press = event.key === " " || event.key === "Enter"; // what has the focus wants these
    if (!plain || !(event.key in steps) || (inside && press)) return;
    event.preventDefault();
    show(now + (event.key === " " && event.shiftKey ? -1 : steps[event.key]));
  });
  document.getElementById("back").addEventListener("click", () => show(now - 1));
  document.getElementById("on").addEventListener("click", () => show(now + 1));
  addEventListener("hashchange", () => show(named()));
  document.documentElement.classList.add("turning");
  show(named());
})();

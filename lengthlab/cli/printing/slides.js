"use strict";
// Turn the slides over: arrows, page keys, space, home and end, or the buttons. #7 is slide 7.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const where = document.getElementById("where");
  const largest = 4.4, smallest = 2.4, step = 0.1; // letters, in hundredths of the height
  let now = 0;
  // The last row reads it: letters as large as leave room for the whole slide.
  function fit() {
    const slide = slides[now];
    const over = () =>
      slide.scrollHeight > slide.clientHeight || slide.scrollWidth > slide.clientWidth;
    let size = largest;
    do {
      slide.style.setProperty("--size", `${size.toFixed(1)}vh`);
      size -= step;
    } while (size >= smallest && over());
  }
  function show(wanted) {
    now = Math.min(Math.max(wanted, 0), slides.length - 1);
    slides.forEach((slide, k) => slide.classList.toggle("shown", k === now));
    fit();
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
  addEventListener("resize", fit);
  document.fonts.ready.then(fit); // other letters, other widths
  for (const picture of document.images) picture.addEventListener("load", fit);
  document.addEventListener("toggle", fit, true); // a proof that was opened
  document.documentElement.classList.add("turning");
  show(named());
})();

// A widget's front end is made of parts over one model: each shows itself in a view and lets go of
// it, and is told when the widget is closed. Loaded once a page, with the style of all its parts.

document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));

const deaf = () => {};

// JupyterLab 4.6 keeps the comm of a closed widget until its kernel ends, and with the comm all
// that its callbacks hold: the model, its views and their pictures.
function release(model) {
  model?.comm?.on_msg(deaf);
  model?.comm?.on_close(deaf);
}

const parts = (make) => () => {
  let made = [];
  return {
    initialize({ model }) {
      made = make(model);
      const layout = model.get("layout");
      layout?.on?.("destroy", release);
      model.on("destroy", release);
      return () => {
        for (const part of made.splice(0)) part.close();
      };
    },
    render({ model, el }) {
      const ends = made.map((part) => {
        const place = document.createElement("div");
        el.append(place);
        return part.show(place);
      });
      el.classList.add("lengthlab-widget");
      el.classList.toggle("lengthlab-presentation", Boolean(model.get("presentation")));
      return () => {
        for (const end of ends) end();
        el.replaceChildren(); // the page may keep the empty element
      };
    },
  };
};

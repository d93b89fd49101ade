// Each widget's front end is a module of its own, which a page never frees. So the module is only
// this loader, and of it only the first one's function is ever compiled: the front end itself is a
// trait of the model, loaded once for all widgets.
const widget = (globalThis[Symbol.for("lengthlab.live")] ??= (() => {
  const loaded = new Map();
  const load = (source) => {
    if (!loaded.has(source)) {
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      loaded.set(source, import(url).finally(() => URL.revokeObjectURL(url)));
    }
    return loaded.get(source);
  };
  return () => {
    let made;
    return {
      async initialize(context) {
        made = (await load(context.model.get("_front_end"))).default();
        return made.initialize(context);
      },
      render: (context) => made.render(context),
    };
  };
})());

export default widget;

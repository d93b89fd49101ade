// Each widget's front end is a module of its own, which a page never frees. So the module is only
// this loader: the front end itself is a trait of the model, loaded once for all widgets.
const loaded = (globalThis[Symbol.for("lengthlab.live")] ??= new Map());

function load(source) {
  if (!loaded.has(source)) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    loaded.set(source, import(url).finally(() => URL.revokeObjectURL(url)));
  }
  return loaded.get(source);
}

export default () => {
  let widget;
  return {
    async initialize(context) {
      widget = (await load(context.model.get("_front_end"))).default();
      return widget.initialize(context);
    },
    render: (context) => widget.render(context),
  };
};

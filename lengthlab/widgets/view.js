export default parts((model) => [new Panel(model), new Stage(model)]);

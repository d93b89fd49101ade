export default parts((model) => [new Stage(model)]);

// Synthesises code as docs/tools/cdk.md has it. Standard input has stacks by name, each
// with the body of its constructor and the folder it runs in; standard output has
// the resources of each.
const { App, RemovalPolicy, Stack } = require('aws-cdk-lib');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const lambda = require('aws-cdk-lib/aws-lambda');

const names = { RemovalPolicy, HttpApi, HttpLambdaIntegration, lambda };
const resources = {};
for (const [name, { body, folder }] of Object.entries(JSON.parse(require('fs').readFileSync(0, 'utf8')))) {
  process.chdir(folder);
  const app = new App({ analyticsReporting: false });
  const stack = new Stack(app, 'checkout');
  new Function(...Object.keys(names), body).apply(stack, Object.values(names));
  resources[name] = app.synth().getStackByName('checkout').template.Resources;
}
console.log(JSON.stringify(resources));

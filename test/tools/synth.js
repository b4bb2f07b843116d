// Synthesises the code of docs/tools/cdk.md: standard input is the body of a
// stack's constructor, standard output the template's resources.
const { App, RemovalPolicy, Stack } = require('aws-cdk-lib');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const lambda = require('aws-cdk-lib/aws-lambda');

const names = { RemovalPolicy, HttpApi, HttpLambdaIntegration, lambda };
const body = new Function(...Object.keys(names), require('fs').readFileSync(0, 'utf8'));
const app = new App({ analyticsReporting: false });
const stack = new Stack(app, 'checkout');
body.apply(stack, Object.values(names));
console.log(JSON.stringify(app.synth().getStackByName('checkout').template.Resources));

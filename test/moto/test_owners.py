"""Who else moves the alias, as far as moto plays CloudFormation and CodeDeploy.

moto has no AWS::Lambda::Alias in CloudFormation, finds no stack by a physical id,
and stops no deployment. What it does play: a stack's state and the tags that name
it, and deployments in flight with their lists. The rest is tested against the
emulator in test/emulator, which answers after the SDK's service models.
"""

import json

from test_rollback import REGION, aws, client, deploy, endpoint, rollback  # noqa: F401

TEMPLATE = json.dumps(
    {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
)


def test_the_stack_of_the_function_is_named(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", 3)
    stack = client(endpoint, "cloudformation").create_stack(
        StackName="checkout", TemplateBody=TEMPLATE
    )["StackId"]
    function = aws.get_function(FunctionName="api")["Configuration"]["FunctionArn"]
    aws.tag_resource(
        Resource=function,
        Tags={
            "aws:cloudformation:stack-name": "checkout",
            "aws:cloudformation:stack-id": stack,
            "lambda:createdBy": "SAM",
        },
    )
    done = rollback(endpoint, tmp_path, function_name="api")
    assert done.outputs["status"] == "rolled-back", done.log
    assert aws.get_alias(FunctionName="api", Name="live")["FunctionVersion"] == "2"
    assert "checkout" in done.summary
    assert "AWS SAM" in done.summary


def test_a_deployment_that_has_ended_stops_nothing(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", 3)
    codedeploy = client(endpoint, "codedeploy")
    codedeploy.create_application(applicationName="shop", computePlatform="Lambda")
    done = rollback(endpoint, tmp_path, function_name="api")
    assert done.outputs["status"] == "rolled-back", done.log
    assert aws.get_alias(FunctionName="api", Name="live")["FunctionVersion"] == "2"
    assert "codedeploy" not in done.outputs["reason"]

"""The scripts of docs/tools, by the AWS CLI against moto, and the shipped binary
that rolls back what they deployed."""

import io
import json
import os
import subprocess
import urllib.request
import zipfile

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pages import block

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/EXAMPLEKEY",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
}


@pytest.fixture
def endpoint(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    # All servers of a process have one AWS between them.
    reset = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).read()
    yield
    server.stop()


@pytest.fixture
def function(endpoint):
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    api = boto3.client("lambda")
    api.create_function(
        FunctionName="checkout-api",
        Runtime="nodejs22.x",
        Role=role["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": archive("first")},
        Publish=True,
    )
    return api


def archive(text):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("index.js", text)
    return data.getvalue()


def shell(script, folder, **environment):
    process = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr


def serves(api):
    alias = api.get_alias(FunctionName="checkout-api", Name="live")
    assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    return alias["FunctionVersion"]


def rolls_back(folder, version):
    output, summary = folder / "output", folder / "summary"
    output.write_text("")
    environment = {
        name: os.environ[name] for name in [*KEYS, "AWS_ENDPOINT_URL"]
    } | {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_RUN_ID": "1001",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
        "INPUT_FUNCTION-NAME": "checkout-api",
        "INPUT_NEEDS": json.dumps({"deploy-production": {"result": "failure", "outputs": {}}}),
        "INPUT_DEPLOYED-VERSION": version,
    }
    process = subprocess.run([os.environ["BINARY"]], env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_script_deploys_and_the_action_rolls_back(function, tmp_path):
    shell(block("aws-cli.md", "sh", "create-alias"), tmp_path)
    script, output = block("aws-cli.md", "bash", "publish-version"), tmp_path / "github-output"
    for code in "second", "third":
        (tmp_path / "function.zip").write_bytes(archive(code))
        shell(script, tmp_path, GITHUB_OUTPUT=str(output))
    assert output.read_text() == "version=2\nversion=3\n"
    assert serves(function) == "3"

    rolls_back(tmp_path, version="3")
    assert serves(function) == "2"

    (tmp_path / "function.zip").write_bytes(archive("a fix"))
    shell(script, tmp_path, GITHUB_OUTPUT=str(output))
    assert serves(function) == "4"


def test_the_step_after_serverless_moves_the_alias_to_the_version_of_the_stack(function, tmp_path):
    function.create_alias(FunctionName="checkout-api", Name="live", FunctionVersion="1")
    function.update_function_code(FunctionName="checkout-api", ZipFile=archive("second"))
    published = function.publish_version(FunctionName="checkout-api")
    arn = published["FunctionArn"]
    if not arn.endswith(":2"):
        arn += ":2"
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {
            "ServerlessDeploymentBucketName": {"Value": "my-deployments"},
            "ApiLambdaFunctionQualifiedArn": {"Value": arn},
        },
    }
    boto3.client("cloudformation").create_stack(
        StackName="checkout-prod", TemplateBody=json.dumps(template)
    )
    shell(block("serverless.md", "sh", "describe-stacks"), tmp_path)
    assert serves(function) == "2"

    rolls_back(tmp_path, version="2")
    assert serves(function) == "1"

"""The shipped binary against an AWS that nobody of this project wrote.

moto plays Lambda, boto3 creates the function, its versions and its alias, the
binary named by BINARY rolls back, and boto3 reads what has become of it. moto
keeps no RevisionId rules and no traffic; what needs those is tested against the
emulator in test/emulator.
"""

import io
import json
import os
import subprocess
import urllib.request
import zipfile

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
NEEDS = json.dumps({"deploy-production": {"result": "failure", "outputs": {}}})


@pytest.fixture(scope="session")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client(endpoint, service, region=REGION):
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/EXAMPLEKEY",
    )


@pytest.fixture
def aws(endpoint):
    request = urllib.request.Request(endpoint + "/moto-api/reset", method="POST")
    urllib.request.urlopen(request).read()
    return client(endpoint, "lambda")


def archive(text):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("index.py", text)
    return data.getvalue()


def deploy(aws, endpoint, name, versions, alias="live"):
    role = client(endpoint, "iam").create_role(
        RoleName="role-" + name, AssumeRolePolicyDocument="{}"
    )["Role"]["Arn"]
    aws.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": archive("first")},
    )
    for n in range(1, versions + 1):
        aws.update_function_code(FunctionName=name, ZipFile=archive(f"version {n}"))
        published = aws.publish_version(FunctionName=name)["Version"]
        assert published == str(n)
    aws.create_alias(
        FunctionName=name,
        Name=alias,
        FunctionVersion=str(versions),
        Description="what production calls",
    )


class Outcome:
    def __init__(self, process, outputs, summary):
        self.code, self.log = process.returncode, process.stdout + process.stderr
        self.outputs, self.summary = outputs, summary


def rollback(endpoint, tmp_path, run_id=1001, attempt=1, **inputs):
    output, summary = tmp_path / "output", tmp_path / "summary"
    for file in (output, summary):
        file.write_text("")
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/EXAMPLEKEY",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_RUN_ID": str(run_id),
        "GITHUB_RUN_ATTEMPT": str(attempt),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
        "INPUT_NEEDS": NEEDS,
    }
    if "CLOUDWATCH" in os.environ:
        environment["AWS_ENDPOINT_URL_CLOUDWATCH"] = os.environ["CLOUDWATCH"]
    for name, value in inputs.items():
        environment["INPUT_" + name.upper().replace("_", "-")] = value
    # A watch of two minutes takes four: metrics are read when its last minutes are counted.
    process = subprocess.run(
        [os.environ["BINARY"]], env=environment, capture_output=True, text=True, timeout=300
    )
    return Outcome(process, parse(output.read_text()), summary.read_text())


def parse(text):
    """GITHUB_OUTPUT as the runner reads it."""
    outputs, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        value = []
        for line in lines:
            if line == delimiter:
                break
            value.append(line)
        outputs[name] = "\n".join(value)
    return outputs


def serves(aws, name, alias="live"):
    answer = aws.get_alias(FunctionName=name, Name=alias)
    weights = answer.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return answer["FunctionVersion"], weights


def test_a_bad_deploy_goes_back_and_the_step_again_changes_nothing(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", versions=3)

    first = rollback(endpoint, tmp_path, function_name="api")

    assert first.code == 0, first.log
    assert serves(aws, "api") == ("2", {})
    assert first.outputs["status"] == "rolled-back"
    assert first.outputs["reason"] == "previous-version"
    assert (first.outputs["from-version"], first.outputs["to-version"]) == ("3", "2")
    assert json.loads(first.outputs["results"])[0]["rejected"] == ["3"]
    assert "version 2" in first.summary
    alias = aws.get_alias(FunctionName="api", Name="live")
    assert alias["Description"] == "what production calls"
    memory = aws.get_alias(FunctionName="api", Name="live-rollback")
    assert memory["FunctionVersion"] == "2"
    assert memory["Description"].startswith("rejected=3@1001 run=1001/1 at=")

    again = rollback(endpoint, tmp_path, function_name="api", attempt=2)

    assert again.code == 0, again.log
    assert again.outputs["reason"] == "already-rolled-back"
    assert aws.get_alias(FunctionName="api", Name="live")["RevisionId"] == alias["RevisionId"]


def test_a_second_bad_deploy_in_a_row_does_not_fall_back_on_the_first(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", versions=2)
    assert rollback(endpoint, tmp_path, function_name="api", run_id=1).code == 0
    aws.update_function_code(FunctionName="api", ZipFile=archive("version 3"))
    aws.publish_version(FunctionName="api")
    aws.update_alias(FunctionName="api", Name="live", FunctionVersion="3")

    second = rollback(endpoint, tmp_path, function_name="api", run_id=2)

    assert second.code == 0, second.log
    assert serves(aws, "api") == ("1", {})
    assert second.outputs["to-version"] == "1"


def test_a_canary_in_flight_loses_its_weight(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", versions=3)
    aws.update_alias(
        FunctionName="api",
        Name="live",
        FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"3": 0.1}},
    )

    outcome = rollback(endpoint, tmp_path, function_name="api")

    assert outcome.code == 0, outcome.log
    assert outcome.outputs["reason"] == "canary-stopped"
    assert serves(aws, "api") == ("2", {})


def test_a_person_chooses_a_version(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", versions=4)

    outcome = rollback(endpoint, tmp_path, function_name="api", target_version="1")

    assert outcome.code == 0, outcome.log
    assert outcome.outputs["reason"] == "chosen"
    assert serves(aws, "api") == ("1", {})


def test_a_dry_run_changes_nothing(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", versions=3)
    before = aws.list_aliases(FunctionName="api")["Aliases"]

    outcome = rollback(endpoint, tmp_path, function_name="api", dry_run="true")

    assert outcome.code == 0, outcome.log
    assert (outcome.outputs["status"], outcome.outputs["to-version"]) == ("planned", "2")
    assert aws.list_aliases(FunctionName="api")["Aliases"] == before


def test_several_functions_by_name_and_by_arn(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", versions=3)
    deploy(aws, endpoint, "worker", versions=2, alias="stable")
    arn = aws.get_function(FunctionName="worker")["Configuration"]["FunctionArn"]

    outcome = rollback(endpoint, tmp_path, function_name=f"api\n{arn}:stable")

    assert outcome.code == 0, outcome.log
    assert serves(aws, "api") == ("2", {})
    assert serves(aws, "worker", "stable") == ("1", {})
    assert [r["to"] for r in json.loads(outcome.outputs["results"])] == ["2", "1"]


def test_an_alias_that_is_not_there(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", versions=2)

    outcome = rollback(endpoint, tmp_path, function_name="api:blue")

    assert outcome.code == 1
    assert (outcome.outputs["status"], outcome.outputs["reason"]) == ("failed", "alias-not-found")


def test_a_function_that_is_not_there(aws, endpoint, tmp_path):
    outcome = rollback(endpoint, tmp_path, function_name="nobody")

    assert outcome.code == 1
    assert (outcome.outputs["status"], outcome.outputs["reason"]) == ("failed", "function-not-found")


def test_the_first_version_has_none_before_it(aws, endpoint, tmp_path):
    deploy(aws, endpoint, "api", versions=1)

    outcome = rollback(endpoint, tmp_path, function_name="api")

    assert outcome.code == 0, outcome.log
    assert (outcome.outputs["status"], outcome.outputs["reason"]) == ("skipped", "no-previous-version")
    assert serves(aws, "api") == ("1", {})

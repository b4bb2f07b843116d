"""docs/tools/cdk.md, synthesised."""

import json
import os
import pathlib
import subprocess

import pytest
from pages import block, only, points_at

VERSION, ALIAS = "AWS::Lambda::Version", "AWS::Lambda::Alias"
RETAIN = "  currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },\n"
CODE = block("cdk.md", "ts", RETAIN)
ADD = "fn.addAlias('live')"
NEW = "new lambda.Alias(this, 'Live', { aliasName: 'live', version: fn.currentVersion })"


@pytest.fixture
def synth(tmp_path):
    """The resources of the page's code, after replacements."""

    def run(code="1", *replacements):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "index.js").write_text(code)
        text = CODE
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        script = pathlib.Path(__file__).with_name("synth.js")
        env = {**os.environ, "NODE_PATH": os.environ["NODE_MODULES"]}
        process = subprocess.run(
            ["node", script], input=text, cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    return run


@pytest.mark.parametrize("alias", [ADD, NEW])
def test_the_alias_follows_the_version(synth, alias):
    first, second = synth("1", (ADD, alias)), synth("2", (ADD, alias))
    for resources in first, second:
        version, _ = only(resources, VERSION)
        _, live = only(resources, ALIAS)
        assert live["Properties"]["Name"] == "live"
        assert points_at(live, version)
    assert only(first, VERSION)[0] != only(second, VERSION)[0]
    assert only(first, ALIAS)[0] == only(second, ALIAS)[0]


def test_configuration_publishes_a_version_and_the_same_code_does_not(synth):
    version, _ = only(synth(), VERSION)
    assert only(synth(), VERSION)[0] == version
    changed = synth("1", (RETAIN, RETAIN + "  memorySize: 256,\n"))
    assert only(changed, VERSION)[0] != version


def test_which_versions_are_kept(synth):
    _, kept = only(synth(), VERSION)
    assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("Retain", "Retain")
    _, lost = only(synth("1", (RETAIN, "")), VERSION)
    assert "DeletionPolicy" not in lost and "UpdateReplacePolicy" not in lost


def test_the_api_calls_what_it_is_given(synth):
    given = "HttpLambdaIntegration('Checkout', live)"
    resources = synth()
    _, integration = only(resources, "AWS::ApiGatewayV2::Integration")
    assert integration["Properties"]["IntegrationUri"] == {"Ref": only(resources, ALIAS)[0]}
    resources = synth("1", (given, given.replace("live", "fn")))
    _, integration = only(resources, "AWS::ApiGatewayV2::Integration")
    function, _ = only(resources, "AWS::Lambda::Function")
    assert integration["Properties"]["IntegrationUri"] == {"Fn::GetAtt": [function, "Arn"]}

"""docs/tools/cdk.md, synthesised."""

import json
import os
import pathlib
import subprocess

import pytest
from pages import block, only, points_at

VERSION, ALIAS = "AWS::Lambda::Version", "AWS::Lambda::Alias"
RETAIN = "  currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },\n"
ADD = "fn.addAlias('live')"
NEW = "new lambda.Alias(this, 'Live', { aliasName: 'live', version: fn.currentVersion })"
GIVEN = "HttpLambdaIntegration('Checkout', live)"
PAGE = block("cdk.md", "ts", RETAIN, ADD, GIVEN)

# The page's code after a replacement, and the code of the function.
STACKS = {
    "as it is": (ADD, ADD, "1"),
    "the same again": (ADD, ADD, "1"),
    "new code": (ADD, ADD, "2"),
    "another way to the alias": (ADD, NEW, "1"),
    "another way to the alias, new code": (ADD, NEW, "2"),
    "new configuration": (RETAIN, RETAIN + "  memorySize: 256,\n", "1"),
    "without RETAIN": (RETAIN, "", "1"),
    "an integration of the function": (GIVEN, GIVEN.replace("live", "fn"), "1"),
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    """The resources of each stack. One process for all: it takes seconds to start."""
    given = {}
    for name, (old, new, code) in STACKS.items():
        folder = tmp_path_factory.mktemp("stack")
        (folder / "src").mkdir()
        (folder / "src" / "index.js").write_text(code)
        given[name] = {"body": PAGE.replace(old, new), "folder": str(folder)}
    process = subprocess.run(
        ["node", pathlib.Path(__file__).with_name("synth.js")],
        input=json.dumps(given),
        env={**os.environ, "NODE_PATH": os.environ["NODE_MODULES"]},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def version(resources):
    """The logical id of the one version."""
    return only(resources, VERSION)[0]


@pytest.mark.parametrize("way", ["", "another way to the alias"])
def test_the_alias_follows_the_version(stacks, way):
    first = stacks[way or "as it is"]
    second = stacks[f"{way}, new code".removeprefix(", ")]
    for resources in first, second:
        _, live = only(resources, ALIAS)
        assert live["Properties"]["Name"] == "live"
        assert points_at(live, version(resources))
    assert version(first) != version(second)
    assert only(first, ALIAS)[0] == only(second, ALIAS)[0]


def test_what_publishes_a_version(stacks):
    before = version(stacks["as it is"])
    assert version(stacks["the same again"]) == before
    assert version(stacks["new configuration"]) != before


def test_which_versions_are_kept(stacks):
    _, kept = only(stacks["as it is"], VERSION)
    assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("Retain", "Retain")
    _, lost = only(stacks["without RETAIN"], VERSION)
    assert "DeletionPolicy" not in lost and "UpdateReplacePolicy" not in lost


def test_the_api_calls_what_it_is_given(stacks):
    resources = stacks["as it is"]
    _, integration = only(resources, "AWS::ApiGatewayV2::Integration")
    assert integration["Properties"]["IntegrationUri"] == {"Ref": only(resources, ALIAS)[0]}
    resources = stacks["an integration of the function"]
    _, integration = only(resources, "AWS::ApiGatewayV2::Integration")
    function, _ = only(resources, "AWS::Lambda::Function")
    assert integration["Properties"]["IntegrationUri"] == {"Fn::GetAtt": [function, "Arn"]}

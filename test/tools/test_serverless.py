"""docs/tools/serverless.md, packaged by osls, the fork that needs no account."""

import json
import os
import pathlib
import subprocess

import pytest
from pages import block, kind, only, points_at

PAGE = block("serverless.md", "yaml", "service: checkout")
CONCURRENCY = "    provisionedConcurrency: 1\n"
VERSION, ALIAS = "AWS::Lambda::Version", "AWS::Lambda::Alias"
INTEGRATION = "AWS::ApiGatewayV2::Integration"


@pytest.fixture
def package(tmp_path):
    """The template of the page's service, after replacements."""

    def run(*replacements):
        text = PAGE
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "serverless.yml").write_text(text)
        (tmp_path / "index.js").write_text("exports.handler = async () => 1\n")
        program = pathlib.Path(os.environ["NODE_MODULES"]) / ".bin" / "osls"
        env = {
            **os.environ,
            "SLS_TELEMETRY_DISABLED": "1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        process = subprocess.run(
            [program, "package"], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert process.returncode == 0, process.stdout + process.stderr
        template = tmp_path / ".serverless" / "cloudformation-template-update-stack.json"
        return json.loads(template.read_text())

    return run


@pytest.mark.parametrize(
    "alias, setting",
    [
        ("provisioned", []),
        (
            "snapstart",
            [(CONCURRENCY, "    snapStart: true\n"), ("nodejs20.x", "java21"), ("index.handler", "a.B::c")],
        ),
    ],
)
def test_the_aliases_of_the_framework(package, alias, setting):
    resources = package(*setting)["Resources"]
    version, published = only(resources, VERSION)
    assert published["DeletionPolicy"] == "Retain"
    _, created = only(resources, ALIAS)
    assert created["Properties"]["Name"] == alias
    assert points_at(created, version)
    _, integration = only(resources, INTEGRATION)
    assert integration["Properties"]["IntegrationUri"]["Fn::Join"][1][1] == alias


def test_without_them_events_call_the_function(package):
    template = package((CONCURRENCY, ""))
    resources = template["Resources"]
    version, _ = only(resources, VERSION)
    assert not kind(resources, ALIAS)
    _, integration = only(resources, INTEGRATION)
    function, _ = only(resources, "AWS::Lambda::Function")
    assert integration["Properties"]["IntegrationUri"] == {"Fn::GetAtt": [function, "Arn"]}
    assert template["Outputs"]["ApiLambdaFunctionQualifiedArn"]["Value"] == {"Ref": version}


def test_no_versions_where_none_are_wanted(package):
    without = ("deploymentBucket:", "versionFunctions: false\n  deploymentBucket:")
    assert not kind(package((CONCURRENCY, ""), without)["Resources"], VERSION)

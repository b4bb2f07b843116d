"""docs/tools/sam.md, by the translator that CloudFormation runs for SAM."""

import copy

import pytest
import yaml
from pages import block, only, points_at
from samtranslator.translator.transform import transform

PAGE = yaml.safe_load(block("sam.md", "yaml", "AWS::Serverless-2016-10-31"))
VERSION, ALIAS = "AWS::Lambda::Version", "AWS::Lambda::Alias"


class NoPolicies:
    def load(self):
        return {}


@pytest.fixture(autouse=True)
def region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def translated(code="1", without=(), function=None, **properties):
    """The resources of the page's template, as `sam package` and CloudFormation make
    them of it."""
    template = copy.deepcopy(PAGE)
    checkout = template["Resources"]["Checkout"]
    assert checkout["Properties"]["CodeUri"] == "src/"
    checkout["Properties"].update(CodeUri=f"s3://bucket/{code}", **properties)
    for name in without:
        del checkout["Properties"][name]
    checkout.update(function or {})
    return transform(template, {}, NoPolicies())["Resources"]


def test_the_alias_follows_the_version():
    for code in "1", "2":
        resources = translated(code)
        version, _ = only(resources, VERSION)
        name, alias = only(resources, ALIAS)
        assert name == "CheckoutAliaslive"
        assert alias["Properties"]["Name"] == "live"
        assert points_at(alias, version)


def test_events_call_the_alias():
    resources = translated()
    _, api = only(resources, "AWS::ApiGatewayV2::Api")
    assert "${CheckoutAliaslive}" in str(api)
    queue = {"Type": "SQS", "Properties": {"Queue": "arn:aws:sqs:eu-west-1:123456789012:q"}}
    resources = translated(Events={"Queue": queue})
    _, mapping = only(resources, "AWS::Lambda::EventSourceMapping")
    assert mapping["Properties"]["FunctionName"] == {"Ref": "CheckoutAliaslive"}


@pytest.mark.parametrize(
    "change, by_default, with_all",
    [
        ({"code": "2"}, True, True),
        ({"MemorySize": 256}, True, True),
        ({"Environment": {"Variables": {"A": "1"}}}, True, True),
        ({"Timeout": 9}, False, True),
        ({"Handler": "other.handler"}, False, True),
        ({}, False, False),
    ],
)
def test_what_publishes_a_version(change, by_default, with_all):
    all_properties = ["AutoPublishAliasAllProperties"]
    for without, publishes in (all_properties, by_default), ([], with_all):
        before, _ = only(translated(without=without), VERSION)
        after, _ = only(translated(without=without, **change), VERSION)
        assert (before != after) == publishes


@pytest.mark.parametrize(
    "change, policy",
    [
        ({}, "Retain"),
        ({"VersionDeletionPolicy": "Delete"}, "Delete"),
        ({"function": {"DeletionPolicy": "Delete"}}, "Delete"),
    ],
)
def test_which_versions_are_kept(change, policy):
    _, version = only(translated(**change), VERSION)
    assert version["DeletionPolicy"] == policy


def test_codedeploy_moves_the_alias_where_it_is_asked_to():
    _, alias = only(translated(DeploymentPreference={"Type": "Canary10Percent5Minutes"}), ALIAS)
    assert "CodeDeployLambdaAliasUpdate" in alias["UpdatePolicy"]

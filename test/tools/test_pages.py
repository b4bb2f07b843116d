"""A page says by which version it was tried: that is the one that is tried here."""

import json

import pytest
from pages import ROOT

HERE = ROOT / "test" / "tools"
PINS = json.loads((HERE / "package.json").read_text())["devDependencies"] | dict(
    line.split("==") for line in (HERE / "requirements.txt").read_text().split() if "==" in line
)


@pytest.mark.parametrize(
    "page, said, package",
    [
        ("sam.md", "aws-sam-translator", "aws-sam-translator"),
        ("cdk.md", "aws-cdk-lib", "aws-cdk-lib"),
        ("serverless.md", "osls", "osls"),
        ("serverless.md", "AWS CLI", "awscli"),
        ("serverless.md", "moto", "moto[server]"),
        ("aws-cli.md", "AWS CLI", "awscli"),
        ("aws-cli.md", "moto", "moto[server]"),
    ],
)
def test_the_page_names_the_version_that_is_tried(page, said, package):
    assert f"{said} {PINS[package]}" in (ROOT / "docs" / "tools" / page).read_text()

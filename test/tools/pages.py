"""The code of docs/tools, as readers paste it."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def blocks(page, language, *holds):
    """The code blocks of a page in that language that hold all of these texts."""
    text = (ROOT / "docs" / "tools" / page).read_text()
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [b for b in found if all(text in b for text in holds)]


def block(page, language, *holds):
    found = blocks(page, language, *holds)
    assert len(found) == 1, f"{page} has {len(found)} blocks of {language} with {holds}"
    return found[0]


def kind(resources, name):
    """The resources of that type, by their logical ids."""
    return {id: r for id, r in resources.items() if r["Type"] == name}


def only(resources, name):
    found = kind(resources, name)
    assert len(found) == 1, found
    return found.popitem()


def points_at(alias, version_id):
    return alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version_id, "Version"]}

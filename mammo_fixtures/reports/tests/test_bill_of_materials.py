"""The bill of materials names what is installed, and the same environment gives the same bytes."""

import email
import importlib.metadata
import json

from mammo_fixtures.reports import bill_of_materials as module
from mammo_fixtures.reports.bill_of_materials import bill_of_materials


def test_it_names_every_installed_distribution_once():
    bill = json.loads(bill_of_materials())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "mammo-robustness"
    by_name = {component["name"].lower(): component for component in bill["components"]}
    assert len(by_name) == len(bill["components"])
    torch = by_name["torch"]
    assert torch["version"] == importlib.metadata.version("torch")
    assert torch["purl"] == f"pkg:pypi/torch@{torch['version']}"
    assert "BSD" in json.dumps(torch["licenses"])
    assert len(torch["properties"][0]["value"]) == 64
    assert by_name["sympy"]["scope"] == "required", "torch needs it"
    assert all(component["version"] for component in bill["components"])
    assert bill_of_materials() == bill_of_materials()


class Installed:
    """A distribution as an installer left it."""

    requires = ("other (>=1) ; extra == 'x'",)
    version = "1.0"

    def __init__(self, name, record, licence):
        self._record = record
        self.metadata = email.message_from_string(f"Name: {name}\n{licence}\n\n")

    def read_text(self, name):
        return self._record if name == "RECORD" else None


def bill(monkeypatch, *installed):
    monkeypatch.setattr(module, "distributions", lambda: installed)
    return json.loads(bill_of_materials())["components"]


def test_a_digest_is_of_the_files_and_not_of_how_they_came_here(monkeypatch):
    record = "a/x.py,sha256=AAA,3\na/y.py,sha256=BBB,4\n"
    by_pip = record + "../../bin/a,sha256=CCC,9\na-1.dist-info/INSTALLER,sha256=DDD,4\na-1.dist-info/RECORD,,\n"
    digests = set()
    for text in (record, by_pip, "".join(sorted(record.splitlines(True), reverse=True)), record.replace("BBB", "EEE")):
        (component,) = bill(monkeypatch, Installed("a", text, "License: MIT"))
        digests.add(component["properties"][0]["value"])
    assert len(digests) == 2


def test_licences_are_told_as_the_distribution_words_them(monkeypatch):
    stated = (
        ("License-Expression: MIT OR Apache-2.0", [{"expression": "MIT OR Apache-2.0"}]),
        ("Classifier: License :: OSI Approved :: BSD License", [{"license": {"name": "BSD License"}}]),
        ("License: Apache 2", [{"license": {"name": "Apache 2"}}]),
    )
    for text, licences in stated:
        (component,) = bill(monkeypatch, Installed("a", "", text))
        assert component["licenses"] == licences
        assert component["scope"] == "optional"
        assert "properties" not in component
    (component,) = bill(monkeypatch, Installed("a", "", "Summary: none"))
    assert "licenses" not in component

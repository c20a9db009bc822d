"""The page without a browser: what stands in it, what is escaped, and that it needs nothing else."""

import base64
import hashlib
import random
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mammo_fixtures.reports.findings import Findings
from mammo_fixtures.reports.html import html
from mammo_fixtures.reports.tests.example_findings import beside, findings, gallery, hostile

NASTY = "<img src=x onerror=alert(1)></script><script>alert(2)</script>'\"&{{ 7*7 }}]]>"


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text between tags."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self._inside = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def test_text_from_files_is_never_markup():
    """A baseline page and a hostile one have the same elements, however the text reads."""
    page, plain = Elements(html(hostile(NASTY))), Elements(html(hostile("plain")))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert [set(attributes) for _, attributes in page.tags] == [set(attributes) for _, attributes in plain.tags]
    assert NASTY in "".join(page.texts)
    assert "no" * 7 not in html(hostile("{{ 'no' * 7 }}"))


def test_the_page_names_no_other_file_and_allows_no_other_script():
    page = html(findings(seen=gallery()))
    for tag, attributes in Elements(page).tags:
        assert "style" not in attributes, "an inline style is against the page's own policy"
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            value = attributes.get(name, "#")
            assert value.startswith(("#", "data:")), f"{tag} {name}={value}"
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    policy = re.search(r'content="(default-src[^"]*)"', page).group(1)
    assert "unsafe" not in policy
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(content) == 1
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy


def test_every_verdict_stands_there_with_its_sentence_and_reason():
    found = findings()
    text = "".join(Elements(html(found)).texts)
    for verdict in found.verdicts:
        assert verdict["sentence"] in text
        assert verdict["test"].partition("[")[2].removesuffix("]") in text
    assert text.count("Why this margin:") == len(found.verdicts)


def test_the_same_findings_give_the_same_bytes_whatever_their_order():
    one = findings(beside=[])
    drawn = [beside(each, kind, kind, 0.02) for each in one.curves for kind in ("snapshot", "baseline")]
    one = replace(one, beside=drawn, notes=["b", "a"])
    shuffled = [list(part) for part in (one.verdicts, one.curves, one.beside)]
    for part in shuffled:
        random.Random(3).shuffle(part)
    two = replace(
        one, verdicts=shuffled[0], curves=shuffled[1], beside=shuffled[2], notes=["a", "b", "a"],
        ends=dict(reversed(one.ends.items())),
    )  # fmt: skip
    assert html(one.sorted()) == html(two.sorted())


def test_nothing_judged_is_a_page_too():
    page = html(Findings(header={}, verdicts=[], stopped="it was interrupted", selected=4))
    text = " ".join("".join(Elements(page).texts).split())
    assert "The gate was stopped: it was interrupted; of claims 4 were" not in text
    assert "The gate was stopped: it was interrupted; of 4 claims 0 were judged, so this report is part of one." in text
    assert "No claim was judged." in text


def test_a_demonstration_says_so_and_a_real_classifier_is_not_called_one():
    notice = "are demonstrations"
    assert notice in html(findings(header={"classifier": "reference", "cohort": "phantoms"}))
    assert notice not in html(findings())


@pytest.mark.parametrize("subgroups", [("all",), ("all", "masses")])
def test_subgroups_side_by_side_need_two(subgroups):
    assert ("side by side" in html(findings(subgroups=subgroups))) == (len(subgroups) > 1)


def test_no_two_subgroups_have_one_colour_and_one_sign():
    names = ("all", *(f"kind_{number}" for number in range(12)))
    page = html(findings(perturbations=1, subgroups=names))
    drawn = re.findall(r'<li class="series (s\d)".*?(<(?:circle|rect|path) class="mark.*?)/>', page)
    assert len(drawn) == len(set(drawn)) == len(names)
    chosen = re.findall(r'<label class="(s\d)">.*?(<(?:circle|rect|path) class="mark.*?)/>', page)
    assert chosen == drawn
    lines = re.findall(r'<g class="series (s\d) many".*?(<(?:circle|rect|path) class="mark)', page, re.DOTALL)
    assert [(colour, sign[:7]) for colour, sign in lines[: len(names)]] == [
        (colour, sign[:7]) for colour, sign in drawn
    ]


def test_the_key_above_the_curves_begins_with_what_there_is():
    plain = findings(perturbations=1)
    also = [beside(plain.curves[0], "baseline", "baseline", 0.02)]
    cases = (
        (plain.verdicts, also, "With one subgroup chosen:"),
        ((), also, "baseline. Verdicts"),
        ((), [], "Verdicts"),
    )
    for judged, drawn, begins in cases:
        page = html(replace(plain, verdicts=judged, beside=drawn))
        (key,) = re.findall(r'<p class="key">(.*?)</p>', page, re.DOTALL)
        assert re.sub(r"<.*?>", "", key).strip().startswith(begins)

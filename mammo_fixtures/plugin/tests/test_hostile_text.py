"""Strings from files that would be markup, links or terminal commands: text in every output, or refused in one line."""

import csv
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from mammo_fixtures import Classifier, UnusableInput
from mammo_fixtures.exams.manifest import read_cohort
from mammo_fixtures.plugin.tests.gate_folder import write_exams
from mammo_fixtures.scoring.table_files import read_score_table

PRINTABLE = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "](javascript:alert(1))", "a | b `c` **d** $e$",
    "{{ 7*7 }} {% raise %}", "[red]rich[/red]", "]]>&lt;", "=1+cmd()", "'; DROP TABLE scores; --", "../../etc",
)  # fmt: skip
UNPRINTABLE = (
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\u202egnp.1",
    "\u2066x",
    "a\0b",
    "a\nb",
    "\x9b2J",
    "a\u2028b",
    "a\rb",
)


class Page(HTMLParser):
    """Elements and attributes of a page, as a browser takes it."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.links, self.handlers, self.images = 0, [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.scripts += tag == "script"
        self.links += [given["href"]] if given.get("href") else []
        self.images += [given.get("src", "")] if tag == "img" else []
        self.handlers += [name for name in given if name.startswith("on")]


def hostile_gate(gate):
    """Exam ids, subgroups, a stratum, its name, and the classifier's name, all of them hostile."""
    manifest = write_exams(gate.path / "exams", exams=40)
    rows = list(csv.DictReader(manifest.read_text().splitlines()))
    for row in rows:
        number = int(row["exam_id"])
        row["exam_id"] = f"{PRINTABLE[number % len(PRINTABLE)]} {number}"
        row["subgroup"] = row["subgroup"] if number % 2 else PRINTABLE[number // 2 % len(PRINTABLE)]
        row["patient_id"] = row["exam_id"]
        row["<b>stratum|"] = PRINTABLE[number % len(PRINTABLE)]
    with manifest.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    source = gate.path / "release.py"
    source.write_text(source.read_text().replace('name="detail"', f"name={PRINTABLE[0] + PRINTABLE[2]!r}"))
    tolerances = gate.path / "robustness_tests" / "tolerances.toml"
    tolerances.write_text(tolerances.read_text().replace("a little less contrast", "<script>x|`y`](javascript:z)"))


def test_printable_strings_are_text_in_every_output(gate):
    plain = gate.runpytest_subprocess("-k", "contrast and holds", "--mammo-report=plain", timeout=300)
    assert plain.ret == 0
    hostile_gate(gate)
    result = gate.runpytest_subprocess(
        "-k", "contrast or contract", "--mammo-report=out", "--junitxml=junit.xml", "-rA", timeout=300
    )
    assert result.ret == 0, result.stdout.str()
    own = Page((gate.path / "plain" / "report.html").read_text("utf-8"))
    page = Page((gate.path / "out" / "report.html").read_text("utf-8"))
    assert (page.scripts, page.handlers) == (own.scripts, own.handlers)
    assert not [link for link in page.links if "javascript:" in link]
    assert all(source.startswith("data:image/") for source in page.images)
    markdown = (gate.path / "out" / "report.md").read_text("utf-8")
    assert "<script" not in markdown
    assert "<img" not in markdown
    assert not re.search(r"(?<!\\)\]\(javascript", markdown)
    assert "javascript" in markdown, "the name is told"
    tables = re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    assert len(tables) >= 2
    for table in tables:
        lines = table.splitlines()
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1, "no string made a column"
    ElementTree.parse(gate.path / "junit.xml")
    assert "\x1b" not in result.stdout.str()


@pytest.mark.parametrize("text", UNPRINTABLE)
@pytest.mark.parametrize("column", ["exam_id", "subgroup", "patient_id", "ward"])
def test_unprintable_strings_are_refused_in_one_printable_line(tmp_path, text, column):
    if column == "ward" and text in ("a\nb", "a\rb"):
        return  # a comment of several lines is a stratum like any
    row = {"exam_id": "7", "side": "L", "view": "CC", "path": "1.png", "subgroup": "", "patient_id": "", "ward": ""}
    row |= {column: text}
    with (tmp_path / "site.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    with pytest.raises(UnusableInput) as refusal:
        read_cohort(tmp_path / "site.csv")
    said = str(refusal.value)
    assert said.isprintable()
    assert re.search(
        rf"site\.csv, row 2: ({column} must be printable|a value must not hold a zero byte|not valid)", said
    ), said


@pytest.mark.parametrize("text", UNPRINTABLE)
@pytest.mark.parametrize("column", ["exam_id", "subgroup", "perturbation", "reader"])
def test_unprintable_strings_in_a_score_table_are_refused(tmp_path, text, column):
    row = {"exam_id": "7", "side": "L", "malignant": "1", "subgroup": "m", "perturbation": "clean", "severity": "0"}
    row |= {"reader": "a", "score": "0.5"}
    row |= {column: text}
    with (tmp_path / "scores.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    with pytest.raises(UnusableInput) as refusal:
        read_score_table(tmp_path / "scores.csv")
    said = str(refusal.value)
    assert said.isprintable()
    assert re.search(rf"row 2: ({column} must (be printable|not hold a zero byte)|not valid CSV)", said), said


@pytest.mark.parametrize("name", UNPRINTABLE)
def test_a_classifier_is_called_by_printable_text(name):
    with pytest.raises(UnusableInput, match="name must be printable text in one line"):
        Classifier(lambda batch: batch, name=name)

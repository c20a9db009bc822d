"""docs/faults.md names tests that exist, and what it quotes is asserted there or written by the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
STATUSES = ("0", "1", "2", "4", "not 0", "–")


def rows():
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "fault"]


def sources():
    """The source of the module of each test, by the test's name."""
    found = {}
    for path in ROOT.glob("mammo_fixtures/**/tests/test_*.py"):
        text = path.read_text("utf-8")
        names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
        found |= dict.fromkeys((name for name in names if name.startswith("test_")), text)
    return found


def plain(text):
    return text.replace("\\", "")


@pytest.mark.parametrize("row", rows(), ids=lambda row: re.sub(r"\W+", "_", row[0]))
def test_each_row_is_what_its_test_asserts(row):
    fault, seen, status, kept, test = row
    known = sources()
    name = test.strip("`")
    assert name in known, f"{fault}: no test is called {name}"
    assert status in STATUSES
    assert kept
    for quoted in re.findall(r"`([^`]+)`", seen):
        assert plain(quoted) in plain(known[name]), f"{fault}: {name} and its module say nothing of {quoted!r}"


def test_the_page_has_rows():
    assert len(rows()) > 25

"""docs/tolerances.md is the schema of tolerances.toml: its tables are held against the code."""

from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from mammo_fixtures.metrics import METRICS, READERS, OperatingPoint
from mammo_fixtures.metrics.operating_point import DEFAULT
from mammo_fixtures.verdicts import Tolerance, read_tolerances
from mammo_fixtures.verdicts.tolerance import CLAIMS

DOCUMENT = Path(__file__).parents[3] / "docs" / "tolerances.md"
WORSE = {"larger": "falls", "smaller": "rises", "steady": "changes"}

pytestmark = pytest.mark.skipif(not DOCUMENT.is_file(), reason="no checkout: docs/tolerances.md is not there")


def rows(heading):
    """Cells of the table whose first heading this is, by the word in the first cell."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {heading} |")) + 2
    found = {}
    for line in lines[start:]:
        if not line.startswith("|"):
            return found
        name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        found[name.strip("` ")] = cells
    return found


def test_every_key_stands_in_the_table_with_its_default():
    keys = rows("key")
    known = {field.name: field.default for field in fields(Tolerance) if field.name != "where"}
    assert set(keys) == set(known)
    for name, default in known.items():
        stated = keys[name][1]
        if default is MISSING:
            assert stated == "required"
        elif name not in ("severities", "up_to", "than", "prevalence"):
            assert stated == (f'`"{default}"`' if isinstance(default, str) else f"`{default}`")


def test_every_choice_stands_in_the_table():
    keys = rows("key")
    for name, choices in (("claim", CLAIMS), ("readers", READERS)):
        assert [choice.strip('`"') for choice in keys[name][0].split(", ")] == list(choices)
    for text in keys["operating_point"][0].split(", "):
        assert OperatingPoint.parse(text.strip('`"'))
    assert keys["operating_point"][1].strip('`"') == DEFAULT.text


def test_every_metric_stands_in_the_table_with_its_direction_and_needs():
    metrics = rows("metric")
    assert list(metrics) == [metric.name for metric in METRICS]
    for metric in METRICS:
        _, worse, needs, judged = metrics[metric.name]
        assert worse == WORSE[metric.better]
        stated = set() if needs == "–" else set(needs.replace("operating point", "operating_point").split(", "))
        assert stated == metric.needs - {"clean"}
        assert judged == f"{metric.fewest} malignant"


def test_the_example_is_read(tmp_path):
    text = DOCUMENT.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    (tmp_path / "tolerances.toml").write_text(text, encoding="utf-8")
    (tolerance,) = read_tolerances(tmp_path / "tolerances.toml")
    assert tolerance.than == "soft_tissue_lesions"

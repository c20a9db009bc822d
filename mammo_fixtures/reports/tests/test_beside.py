"""What is drawn beside a curve is asked the curve's own question."""

from mammo_fixtures.reports.beside import of_table
from mammo_fixtures.verdicts import curve
from mammo_fixtures.verdicts.tests.test_contrasts import table


def test_a_curve_for_any_readers_has_one_for_any_readers_beside_it():
    """With the readers at hand alone the other release would look surer than it is, under the same words."""
    asked = {"subgroup": "grains", "unit": "mm", "readers": "random"}
    drawn, other = curve(table(2.5, readers=3), "lowpass", **asked), table(1.0, readers=3)
    beside = of_table(drawn, other, kind="baseline", name="baseline")
    assert beside["readers"] == "random"
    assert [(p["low"], p["high"]) for p in beside["points"]] == [
        (p.low, p.high) for p in curve(other, "lowpass", **asked).points
    ]

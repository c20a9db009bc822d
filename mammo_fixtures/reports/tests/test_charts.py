"""Charts: where things are drawn, and what is read off."""

import pytest

from mammo_fixtures import PERTURBATIONS
from mammo_fixtures.reports.chart_axes import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Across, Up
from mammo_fixtures.reports.charts import charts
from mammo_fixtures.reports.html import html
from mammo_fixtures.reports.judged_by import Tolerances
from mammo_fixtures.reports.matrix import matrix, subgroups_of
from mammo_fixtures.reports.tests.example_findings import beside, findings


def drawn(found):
    return charts(found, Tolerances.of(found.tolerances), subgroups_of(found))


def test_severities_lie_side_by_side_from_clean_to_the_strongest():
    across = Across(severities=[0.0, 0.5, 4.0])
    assert [across.x(s) for s in across.severities] == [LEFT, (LEFT + WIDTH - RIGHT) / 2, WIDTH - RIGHT]


@pytest.mark.parametrize(
    ("values", "limits", "ticks"),
    [
        ([0.52, 0.97], (0.0, 1.0), [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ([0.0, 0.13], (-1.0, 1.0), [0.0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15]),
        ([3.0], (-99.0, 99.0), [2.94, 2.96, 2.98, 3.0, 3.02, 3.04, 3.06]),
        ([], (0.0, 1.0), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_axes_have_round_numbers_within_what_a_metric_can_be(values, limits, ticks):
    up = Up.over(values, least=limits[0], most=limits[1])
    assert list(up.ticks) == pytest.approx(ticks)
    assert len({up.label(tick) for tick in up.ticks}) == len(ticks), "labels that round to the same text"
    assert up.y(up.high) == TOP
    assert TOP < up.y(up.low) < HEIGHT


def test_a_chart_says_what_its_perturbation_does():
    (chart,) = drawn(findings(perturbations=1, subgroups=("all",)))
    record = PERTURBATIONS[chart.perturbation]
    assert chart.meaning.startswith(record.apply.__doc__.split("\n")[0])
    assert chart.meaning.endswith(f"Severity: {record.severity_in_words}.")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lowpass", "wavelength, mm"),
        ("bandstop", "centre, cycles/mm"),
        ("detector_lines", "lines per view"),
        ("magnification", "per cent"),
        ("quantum_noise", "dose fraction, of acquired dose"),
        ("jpeg2000", "ratio, : 1"),
    ],
)
def test_a_severity_names_its_unit_once(name, said):
    assert PERTURBATIONS[name].severity_in_words == said


def test_a_margin_lies_below_clean_as_a_value_and_above_zero_as_a_drop():
    found = findings(perturbations=1, subgroups=("all",))
    (chart,) = drawn(found)
    (series,) = chart.series
    judged = [v for v in found.verdicts if v["outcome"] != "not_run"]
    assert len(series.limits["value"]) == len(found.verdicts) >= len(judged)
    for limit in series.limits["value"]:
        assert limit.y == chart.up["value"].y(0.85)
        assert limit.below
    for limit in series.limits["drop"]:
        assert limit.y == chart.up["drop"].y(0.05)
        assert not limit.below


def test_what_is_read_off_are_the_figures_of_the_curve_and_the_verdict():
    plain = findings(perturbations=1, subgroups=("all",))
    found = findings(
        perturbations=1, subgroups=("all",), beside=[beside(plain.curves[0], "baseline", "baseline", 0.02)]
    )
    (chart,) = drawn(found)
    point = found.curves[0]["points"][2]
    assert chart.series[0].readings[2] == [
        f"{point['value']:.3f} [{point['low']:.3f}, {point['high']:.3f}], drop 0.080 [0.060, 0.100], "
        "40 malignant, 160 not",
        "✓ holds held, margin 0.05",
        f"baseline: {point['value'] - 0.02:.3f}",
    ]
    assert "drop" not in chart.series[0].readings[0][0]


def test_ladders_that_fall_are_drawn_mild_to_strong():
    found = findings(perturbations=30, subgroups=("all",))
    by_name = {chart.perturbation: chart for chart in drawn(found)}
    assert by_name["highpass"].across.severities == [0.0, *PERTURBATIONS["highpass"].severities]
    groups = matrix(found, Tolerances.of(found.tolerances), ["all"])
    rows = {group.perturbation: group for group in groups}
    assert rows["highpass"].severities == PERTURBATIONS["highpass"].severities
    assert [group.perturbation for group in groups] == [record.name for record in PERTURBATIONS if record.name in rows]


@pytest.mark.parametrize(("first", "last", "left"), [(0.9, 0.5, True), (0.5, 0.9, False)])
def test_the_word_chance_stands_where_no_curve_is_and_nothing_is_drawn_over_it(first, last, left):
    plain = findings(perturbations=1, subgroups=("all",))
    points = plain.curves[0]["points"]
    for place, point in enumerate(points):
        value = first + (last - first) * place / (len(points) - 1)
        point |= {"value": value, "low": value - 0.05, "high": value + 0.05}
    (chart,) = drawn(plain)
    assert chart.chance_on_left is left
    page = html(plain.sorted())
    assert page.index('class="stroke" d="M') < page.index(f'class="tick chance-text{" left" if left else ""}"')

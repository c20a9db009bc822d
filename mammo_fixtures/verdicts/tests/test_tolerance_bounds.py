"""Numbers of a tolerance up to the ends of what they may be, and files that hold no tables."""

import math

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.verdicts import Tolerance, read_tolerances


def tolerance(**changed):
    known = {"claim": "holds", "perturbation": "lowpass", "subgroup": "all", "margin": 0.05, "reason": "-"}
    return Tolerance(**(known | changed))


@pytest.mark.parametrize(
    ("key", "inside", "outside"),
    [
        ("confidence", (0.501, 0.6, 0.999), (0.5, 1.0, 1.2, 0.0)),
        ("prevalence", (1e-6, 0.999), (0.0, 1.0, 1.2, -0.1)),
        ("margin", (1e-6, 1.0), (0.0, -0.05, 1.001, math.inf)),
    ],
)
def test_numbers_lie_between_bounds(key, inside, outside):
    for value in inside:
        assert getattr(tolerance(**{key: value}, metric="brier"), key) == value
    for value in outside:
        with pytest.raises(UnusableInput, match=f"{key} must (lie|be)"):
            tolerance(**{key: value}, metric="brier")


def test_the_margin_of_a_metric_without_bounds_may_be_any():
    for metric in ("logit_shift", "calibration_slope"):
        assert tolerance(metric=metric, margin=7.5).margin == 7.5
        for margin in (0.0, -1.0, math.inf, math.nan):
            with pytest.raises(UnusableInput, match="margin must be above 0"):
                tolerance(metric=metric, margin=margin)
    with pytest.raises(UnusableInput, match=r"margin must lie in \(0, 1\]"):
        tolerance(metric="rank_correlation", margin=1.5)


@pytest.mark.parametrize(
    ("margin", "remedy"), [(1.5, "; 1.5 per cent are 0.015"), (100.0, "; 100 per cent are 1"), (101.0, "")]
)
def test_a_margin_in_per_cent_is_told_as_what_it_was_meant(margin, remedy):
    with pytest.raises(UnusableInput) as refused:
        tolerance(margin=margin)
    assert str(refused.value).endswith(f"a difference of the metric, got {margin!r}{remedy}")


def read(tmp_path, text):
    path = tmp_path / "tolerances.toml"
    path.write_text(text, encoding="utf-8")
    return read_tolerances(path)


TABLE = '[[tolerance]]\nclaim = "holds"\nperturbation = "{}"\nmargin = 0.05\nreason = "-"\n'


@pytest.mark.parametrize("record", PERTURBATIONS, ids=lambda record: record.name)
def test_severities_reach_both_ends_of_what_is_valid_and_no_further(record, tmp_path):
    table, (low, high) = TABLE.format(record.name), record.valid
    for end in {low, high} - {record.nothing}:
        assert read(tmp_path, f"{table}severities = [{end!r}]")[0].severities == (end,)
    for beyond in (math.nextafter(low, -math.inf), math.nextafter(high, math.inf), record.nothing):
        if math.isfinite(beyond):
            with pytest.raises(UnusableInput, match=r"must lie in .* and change something"):
                read(tmp_path, f"{table}severities = [{float(beyond)!r}]")


@pytest.mark.parametrize("record", [r for r in PERTURBATIONS if len(r.severities) > 1], ids=lambda record: record.name)
def test_up_to_takes_the_ladder_from_its_mild_end(record, tmp_path):
    for number, end in enumerate(record.severities, 1):
        (read_one,) = read(tmp_path, f"{TABLE.format(record.name)}up_to = {float(end)!r}")
        assert read_one.severities == tuple(map(float, record.severities[:number]))


@pytest.mark.parametrize("text", ["tolerance = 1", "tolerance = [1, 2]", 'tolerance = {claim = "holds"}'])
def test_what_is_no_list_of_tables_is_refused(text, tmp_path):
    with pytest.raises(UnusableInput, match=r"^tolerances\.toml: tolerance must be a list of tables, got one; write"):
        read(tmp_path, text)


def test_a_mean_of_several_perturbations_speaks_for_fixed_readers_only(tmp_path):
    (averaging,) = (record for record in PERTURBATIONS.every if record.averages)
    table = TABLE.format(averaging.name)
    assert read(tmp_path, table)[0].readers == "fixed"
    with pytest.raises(UnusableInput, match=f"readers of {averaging.name} must be 'fixed', got 'random'; leave it out"):
        read(tmp_path, f'{table}readers = "random"')

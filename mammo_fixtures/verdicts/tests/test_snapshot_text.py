"""Curves as text: what is the same, what is a change, and what is not to be compared at all."""

from dataclasses import replace

import pytest

from mammo_fixtures.metrics import METRICS
from mammo_fixtures.verdicts import Curve
from mammo_fixtures.verdicts.curve import empty_point
from mammo_fixtures.verdicts.snapshot_text import SNAPSHOT_TOLERANCE, StoredCurve, compare, same, stored_values


def text(values=(0.93, 0.9, 0.8), *, subgroup="all", positives=80, **provenance):
    points = tuple(
        replace(empty_point(s, positives, 240), value=v)
        for s, v in zip((0.0, 0.5, 4.0), values, strict=True)
    )  # fmt: skip
    curve = Curve(perturbation="lowpass", unit="mm", metric="auc", subgroup=subgroup, points=points)
    known = {"cohort": "12ab", "classifier": "reference", "record version": "1", "seed": "0"}
    return StoredCurve(curve=curve, provenance=known | provenance).text()


def test_is_small_and_readable():
    assert text().splitlines() == [
        "auc of all under lowpass, mm",
        "cohort: 12ab",
        "classifier: reference",
        "record version: 1",
        "seed: 0",
        "malignant: 80",
        "not malignant: 240",
        "",
        "    severity       auc",
        "           0    0.9300",
        "         0.5    0.9000",
        "           4    0.8000",
    ]


@pytest.mark.parametrize(
    ("moved", "equal"), [(0.0, True), (0.004, True), (0.005, True), (0.0052, False), (-0.02, False)]
)
def test_values_are_the_same_within_the_tolerance(moved, equal):
    assert same(now=text((0.93, 0.9 + moved, 0.8)), stored=text()) is equal


def test_a_change_is_a_table_that_marks_what_moved():
    lines = list(compare(now=text((0.93, 0.88, 0.801)), stored=text()))
    assert lines == [
        "auc of all under lowpass, mm moved by more than 0.005, most by -0.0200 at 0.5; if the change is meant, "
        "store it: the same command with --snapshot-update",
        "    severity    stored       now  difference",
        "           0    0.9300    0.9300     +0.0000",
        "         0.5    0.9000    0.8800     -0.0200  <",
        "           4    0.8000    0.8010     +0.0010",
    ]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"cohort": "34cd"}, "the stored curve has cohort '12ab', this one '34cd'"),
        ({"classifier": "other"}, "the stored curve has classifier 'reference', this one 'other'"),
        ({"record version": "2"}, "the stored curve has record version '1', this one '2'"),
        ({"seed": "7"}, "the stored curve has seed '0', this one '7'"),
        ({"positives": 81}, "the stored curve has malignant '80', this one '81'"),
    ],
)
def test_another_cohort_classifier_record_or_seed_is_not_compared(changed, line):
    assert not same(now=text(**changed), stored=text())
    assert list(compare(now=text(**changed), stored=text())) == [
        f"not comparable: {line}; if the change is meant, store it: the same command with --snapshot-update; if it is "
        "to stay as it is, leave it out of this run: --mammo-snapshots=none"
    ]


def test_a_severity_that_came_or_went_is_a_change():
    shorter = "\n".join(text().splitlines()[:-1]) + "\n"
    assert not same(now=text(), stored=shorter)
    assert not same(now=shorter, stored=text())
    assert "           4         –    0.8000           –  <" in list(compare(now=text(), stored=shorter))


def test_what_could_not_be_estimated_is_kept_as_such():
    assert same(now=text((0.9, None, 0.8)), stored=text((0.9, None, 0.8)))
    assert not same(now=text((0.9, None, 0.8)), stored=text())


def test_a_damaged_snapshot_is_a_change_and_no_crash():
    for damaged in ("nonsense", text().replace("0.9000", "0.9x00"), text()[:100]):
        assert not same(now=text(), stored=damaged)
        assert list(compare(now=text(), stored=damaged))
    assert next(compare(now=text(), stored="")).startswith("no snapshot is stored for this curve")


def test_every_metric_has_a_tolerance_of_its_own_and_its_terms_stand_in_the_head():
    assert SNAPSHOT_TOLERANCE.keys() == {metric.name for metric in METRICS}
    assert all(tolerance > 0 for tolerance in SNAPSHOT_TOLERANCE.values())
    shift = Curve(perturbation="lowpass", unit="mm", metric="logit_shift", subgroup="all", points=shifts(0.0, 0.5))
    near, far = (replace(shift, points=shifts(0.0, moved)) for moved in (0.519, 0.522))
    stored = StoredCurve(curve=shift).text()
    assert same(now=StoredCurve(curve=near).text(), stored=stored)
    assert not same(now=StoredCurve(curve=far).text(), stored=stored)


def test_another_operating_point_is_not_compared():
    usual = Curve(perturbation="lowpass", metric="sensitivity", subgroup="all", points=shifts(0.6, 0.5))
    other = replace(usual, operating_point="specificity>=0.95")
    lines = list(compare(now=StoredCurve(curve=other).text(), stored=StoredCurve(curve=usual).text()))
    assert lines[0].startswith(
        "not comparable: the stored curve has operating point 'specificity>=0.90', this one 'specificity>=0.95'"
    )


def shifts(*values):
    return tuple(replace(empty_point(float(i), 80, 240), value=value) for i, value in enumerate(values))


def test_a_merge_conflict_is_told_and_its_later_version_is_not_taken():
    stored = text().replace("seed: 0\n", "<<<<<<< ours\nseed: 1\n=======\nseed: 0\n>>>>>>> theirs\n")
    assert not same(now=text(), stored=stored)
    (said,) = compare(now=text(), stored=stored)
    assert said.startswith("the stored curve has a merge conflict in line 5: mend that file, or store the curve anew")
    assert not stored_values(stored, comparable_to=text())

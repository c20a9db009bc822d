"""Which breasts moved most, and where that is asked."""

import numpy as np

from mammo_fixtures import ScoreTable
from mammo_fixtures.reports.moved import moved, where_scores_should_stay
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.verdicts import Tolerance

MILD, STRONG = Condition("lowpass", 0.5), Condition("lowpass", 4.0)


def table():
    """Four breasts, two readers; the third breast loses .6 under the mild condition, the first rises by .1."""
    clean = np.array([[0.1, 0.3], [0.4, 0.4], [0.9, 0.9], [0.5, np.nan]])
    mild = np.array([[0.2, 0.4], [0.4, 0.4], [0.3, 0.3], [0.0, 0.0]])
    strong = np.full((4, 2), 0.5)
    return ScoreTable(
        conditions=(CLEAN, MILD, STRONG), readers=("a", "b"), scores=np.stack([clean, mild, strong]),
        exam_id=np.array(["1", "1", "2", "3"]), side=np.array(["L", "R", "L", "L"]),
        malignant=np.array([0, 0, 1, -1], dtype=np.int8), subgroup=np.array(["", "", "masses", ""]),
        patient_id=np.array(["", "", "", ""]),
    )  # fmt: skip


def tolerance(claim, *severities):
    return Tolerance(claim=claim, perturbation="lowpass", severities=severities, margin=0.1, reason="x")


def test_the_largest_change_comes_first_with_its_ranks():
    found = moved(table(), [MILD])
    assert [(each["exam_id"], each["side"]) for each in found] == [("2", "L"), ("1", "L")]
    assert found[0] == {
        "exam_id": "2", "side": "L", "malignant": True, "subgroup": "masses", "perturbation": "lowpass",
        "severity": 0.5, "clean": 0.9, "perturbed": 0.3, "clean_rank": 2 / 3, "perturbed_rank": 1 / 3,
    }  # fmt: skip


def test_a_breast_stands_once_under_what_moved_it_most():
    found = moved(table(), [MILD, STRONG])
    assert [(each["exam_id"], each["side"], each["severity"]) for each in found] == [
        ("2", "L", 0.5),
        ("1", "L", 4.0),
        ("1", "R", 4.0),
    ]
    assert len(moved(table(), [MILD, STRONG], shown=1)) == 1


def test_only_conditions_that_should_be_withstood_are_looked_at():
    both = [tolerance("holds", 0.5), tolerance("responds", 4.0)]
    assert where_scores_should_stay(table(), both, [CLEAN, MILD, STRONG]) == [MILD]
    assert where_scores_should_stay(table(), both[1:], [CLEAN, MILD, STRONG]) == [MILD, STRONG]
    assert where_scores_should_stay(table(), [tolerance("holds")], [CLEAN, STRONG]) == [STRONG]
    assert moved(table(), []) == []

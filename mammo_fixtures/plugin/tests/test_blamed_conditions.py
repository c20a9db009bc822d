"""Which conditions are named where perturbed scores are those of the clean views."""

from types import SimpleNamespace

import numpy as np
import pytest

from mammo_fixtures import ScoreTable
from mammo_fixtures.plugin.contract import perturbed_scores_differ_from_clean
from mammo_fixtures.scoring import CLEAN, Condition

RUN = SimpleNamespace(settings=SimpleNamespace(scores=None), cancels=(), remarks={})
LOWPASS, CONTRAST = Condition("lowpass", 1.0), Condition("contrast", 0.5)
EIGHT_BITS, FIVE_BITS = Condition("bit_depth", 8.0), Condition("bit_depth", 5.0)


def table(*same, seen=()):
    """Forty breasts with the clean scores under `same`, and with others under `seen`."""
    clean = np.random.default_rng(3).normal(size=(40, 1))
    return ScoreTable(
        exam_id=np.array([str(number) for number in range(40)]),
        side=np.array(["L"] * 40),
        malignant=np.arange(40) % 2,
        subgroup=np.array([""] * 40),
        patient_id=np.array([""] * 40),
        readers=("classifier",),
        conditions=(CLEAN, *same, *seen),
        scores=np.stack([clean, *(clean for _ in same), *(clean + 1 for _ in seen)]),
    )


def said(scores):
    """What the contract says against them; empty where it is content."""
    try:
        perturbed_scores_differ_from_clean(scores, RUN)
    except AssertionError as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("undone", [CONTRAST, EIGHT_BITS])
def test_what_a_classifier_may_undo_is_no_fault_while_it_sees_something(undone):
    assert said(table(undone, seen=[LOWPASS])) == ""
    assert "under lowpass 1 they are bit-identical" in said(table(undone, LOWPASS, seen=[FIVE_BITS]))


def test_five_bits_are_seen_by_a_classifier_of_eight():
    assert "under bit_depth 5 they are bit-identical for 100.0%" in said(table(EIGHT_BITS, FIVE_BITS, seen=[LOWPASS]))


def test_all_are_named_where_nothing_is_seen():
    assert "under contrast 0.5, bit_depth 8 they are bit-identical" in said(table(CONTRAST, EIGHT_BITS))

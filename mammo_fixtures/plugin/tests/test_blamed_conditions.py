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


@pytest.mark.parametrize("undone", [CONTRAST, EIGHT_BITS])
def test_what_a_classifier_may_undo_is_no_fault_while_it_sees_something(undone):
    perturbed_scores_differ_from_clean(table(undone, seen=[LOWPASS]), RUN)


def test_five_bits_are_seen_by_a_classifier_of_eight():
    with pytest.raises(AssertionError, match=r"under bit_depth 5 they are bit-identical for 100\.0%"):
        perturbed_scores_differ_from_clean(table(EIGHT_BITS, FIVE_BITS, seen=[LOWPASS]), RUN)


def test_all_are_named_where_nothing_is_seen():
    with pytest.raises(AssertionError, match=r"under contrast 0\.5, bit_depth 8 they are bit-identical"):
        perturbed_scores_differ_from_clean(table(CONTRAST, EIGHT_BITS), RUN)

"""The classifier alone, judging, and the store."""

import numpy as np
import pytest

from mammo_fixtures import PERTURBATIONS, ScoreTable, curve, judge
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.verdicts.tolerance import Tolerance

BREASTS = 1440
ROWS = 10_000


def test_classifier_alone(timed, classifier, mammo_run, full_size_view):
    if classifier.level != "view":
        pytest.skip("the classifier scores exams, not views")
    import torch

    inference = Inference(classifier, device=mammo_run.settings.device, precision=mammo_run.settings.precision)
    batch = mammo_run.settings.batch_size or (1 if timed.device.type == "cpu" else 8)
    image = torch.tensor(full_size_view.pixels, device=timed.device)
    prepared = inference.input(image, full_size_view)
    scores = timed(
        lambda: inference.view_scores([prepared] * batch, [full_size_view.name] * batch),
        image_size=prepared.shape[-2:],
        batch=batch,
        rounds=20,
    )
    assert len(scores) == batch


def test_judging(timed):
    """Nine severities of 1,440 breasts: values, intervals, paired drops and verdicts."""
    rng = np.random.default_rng(0)
    malignant = (np.arange(BREASTS) % 12 == 0).astype(np.int8)
    severities = PERTURBATIONS["lowpass"].severities
    table = ScoreTable(
        conditions=(CLEAN, *(Condition("lowpass", severity) for severity in severities)),
        readers=("a",),
        scores=rng.normal(malignant * 1.8, 1, (1 + len(severities), BREASTS))[..., None],
        exam_id=np.array([str(number // 2) for number in range(BREASTS)]),
        side=np.array(["L", "R"] * (BREASTS // 2)),
        malignant=malignant,
        subgroup=np.where(malignant, "masses", "normal"),
        patient_id=np.full(BREASTS, ""),
    )
    tolerance = Tolerance(claim="holds", perturbation="lowpass", margin=0.05, reason="a benchmark")
    verdicts = timed(lambda: judge(curve(table, "lowpass"), tolerance), image_size=(), batch=BREASTS, rounds=20)
    assert len(verdicts) == len(severities)


@pytest.mark.parametrize("action", ["keep", "look_up"])
def test_store(action, timed, tmp_path):
    rows = [(number.to_bytes(32, "big"), number / ROWS) for number in range(ROWS)]
    store = Store(tmp_path / "scores.sqlite")
    try:
        store.keep(rows)
        if action == "keep":
            # Other keys each round: insert-or-ignore of what is there would cost less.
            rounds = iter(range(1, 1_000_000))
            timed(
                lambda: store.keep([(next_key(key, fresh), s) for fresh in [next(rounds)] for key, s in rows]),
                image_size=(),
                batch=ROWS,
            )
        else:
            found = timed(lambda: store.scores([key for key, _ in rows]), image_size=(), batch=ROWS)
            assert len(found) == ROWS
    finally:
        store.close()


def next_key(key, fresh):
    """Another key, as long."""
    return fresh.to_bytes(16, "big") + key[16:]

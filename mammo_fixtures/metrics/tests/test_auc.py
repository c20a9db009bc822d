"""AUC by ranking."""

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import METRICS, Sample, auc, measure_auc


def sample(scores, malignant, clusters=None):
    return Sample(
        scores=scores, malignant=malignant, clusters=np.arange(len(malignant)) if clusters is None else clusters
    )


@pytest.mark.parametrize("step", [0.0, 0.5], ids=["continuous", "tied"])
def test_agrees_with_scikit_learn(step):
    reference = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    malignant = rng.random(700) < 0.1
    scores = rng.standard_normal((4, 700, 3)) + malignant[None, :, None]
    if step:
        scores = np.round(scores / step)
    values = measure_auc(sample(scores, malignant)).value
    for condition in range(4):
        each = [reference.roc_auc_score(malignant, scores[condition, :, reader]) for reader in range(3)]
        assert values[condition] == pytest.approx(np.mean(each), abs=1e-12)
        assert auc(scores[condition, :, 0], malignant) == pytest.approx(each[0], abs=1e-12)


def test_depends_on_ranks_alone():
    rng = np.random.default_rng(4)
    malignant = rng.random(300) < 0.2
    logits = rng.standard_normal(300) + malignant
    probabilities = 1 / (1 + np.exp(-logits))
    assert auc(probabilities, malignant) == auc(logits, malignant)
    assert auc(-logits, malignant) == pytest.approx(1 - auc(logits, malignant), abs=1e-12)


def test_shuffled_labels_give_a_half():
    rng = np.random.default_rng(5)
    malignant = np.arange(1440) < 61
    scores = rng.standard_normal(1440) + 2 * malignant
    assert auc(scores, malignant) > 0.88
    shuffled = [auc(scores, rng.permutation(malignant)) for _ in range(200)]
    assert np.mean(shuffled) == pytest.approx(0.5, abs=0.01)
    assert np.max(np.abs(np.subtract(shuffled, 0.5))) < 0.16


def test_infinite_scores_rank_and_ties_count_half():
    malignant = np.array([True, True, False, False])
    assert auc(np.array([np.inf, 0.0, 0.0, -np.inf]), malignant) == 0.875


def test_arguments_stay_untouched():
    scores = np.random.default_rng(6).random((2, 30, 2))
    before = scores.copy()
    measure_auc(sample(scores, np.arange(30) < 10))
    np.testing.assert_array_equal(scores, before)


@pytest.mark.parametrize(
    ("scores", "malignant", "message"),
    [
        (
            np.zeros((1, 3, 1)),
            np.array([True, False]),
            "sample: scores must be (conditions, 2 breasts, readers) with one label and one cluster a breast, got "
            "scores (1, 3, 1), 2 labels and 2 clusters",
        ),
        (
            np.zeros((1, 2, 1)),
            np.array([True, True]),
            "sample: a metric needs malignant and other breasts, got 2 malignant of 2; leave the metric out",
        ),
    ],
    ids=["shape", "one class"],
)
def test_unusable_samples_are_refused_in_one_line(scores, malignant, message):
    with pytest.raises(UnusableInput) as refused:
        sample(scores, malignant)
    assert str(refused.value) == message


def test_metric_names_are_unique_and_fit_ids():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalnum() and name == name.lower() for name in names)
    assert all(metric.title and metric.source for metric in METRICS)

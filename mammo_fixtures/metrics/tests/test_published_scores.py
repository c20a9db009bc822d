"""Standard errors on the published scores, against figures computed elsewhere."""

import os
from pathlib import Path

import numpy as np
import pytest

from mammo_fixtures.metrics import Sample, measure, measure_auc
from mammo_fixtures.metrics.decisions import SENSITIVITY
from mammo_fixtures.metrics.separability import KS
from mammo_fixtures.scoring.score_table import ScoreTable

PUBLISHED = Path(os.environ.get("MAMMO_SHARED", "")) / "nyu_reader_study" / "gmic_lowpass_scores.csv.gz"
MILD, STRONG = 1, 6
"""Places of 0.17 mm and 1 mm among the conditions by severity."""


@pytest.fixture(scope="module")
def published():
    if not PUBLISHED.is_file():
        pytest.skip("MAMMO_SHARED does not name the folder with nyu_reader_study/gmic_lowpass_scores.csv.gz")
    return ScoreTable.read(PUBLISHED)


def sample(table, subgroup, *, mean_score):
    order = np.argsort([condition.severity for condition in table.conditions])
    used = (table.malignant == 0) | (table.subgroup == subgroup) | (subgroup == "all")
    scores = table.scores[order][:, used]
    return Sample(
        scores=scores.mean(axis=2, keepdims=True) if mean_score else scores,
        malignant=table.malignant[used] == 1,
        clusters=table.clusters[used],
    )


@pytest.mark.parametrize(
    ("mean_score", "mild", "strong", "grains"),
    [(True, 0.0050, 0.037, 0.058), (False, 0.0046, 0.033, 0.049)],
    ids=["mean score", "mean over readers"],
)
def test_clustered_error_of_the_paired_drop(published, mean_score, mild, strong, grains):
    every = measure_auc(sample(published, "all", mean_score=mean_score)).drop_standard_error
    assert every[MILD] == pytest.approx(mild, rel=0.05)
    assert every[STRONG] == pytest.approx(strong, rel=0.05)
    some = measure_auc(sample(published, "microcalcifications", mean_score=mean_score)).drop_standard_error
    assert some[STRONG] == pytest.approx(grains, rel=0.05)


def test_the_mean_score_keeps_soft_tissue_at_one_mm(published):
    values = measure_auc(sample(published, "soft_tissue_lesions", mean_score=True)).value
    assert (values[0], values[STRONG]) == pytest.approx((0.844, 0.835), abs=0.0006)


def test_sensitivity_of_the_mean_score_at_a_clean_specificity_of_nine_in_ten(published):
    values = measure(SENSITIVITY, sample(published, "all", mean_score=True)).value
    assert values == pytest.approx([0.64, 0.64, 0.64, 0.57, 0.49, 0.38, 0.20, 0.10, 0.00], abs=0.005)


@pytest.mark.parametrize(
    ("subgroup", "distances"),
    [
        ("microcalcifications", [0.757, 0.757, 0.755, 0.716, 0.620, 0.431, 0.187, 0.205, 0.190]),
        ("soft_tissue_lesions", [0.549, 0.563, 0.524, 0.513, 0.504, 0.531, 0.534, 0.400, 0.274]),
    ],
)
def test_class_separability_as_the_mean_over_training_runs(published, subgroup, distances):
    assert measure(KS, sample(published, subgroup, mean_score=False)).value == pytest.approx(distances, abs=0.005)


def test_soft_tissue_loses_sensitivity_where_its_auc_hardly_moves(published):
    values = measure(SENSITIVITY, sample(published, "soft_tissue_lesions", mean_score=True)).value
    assert (values[0], values[STRONG]) == pytest.approx((0.60, 0.27), abs=0.005)

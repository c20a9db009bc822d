"""Every metric against one written out anew, and its clustered errors against resamples of patients."""

import numpy as np
import pytest

from mammo_fixtures.metrics import METRICS, measure
from mammo_fixtures.metrics.tests.cluster_bootstrap import TERMS, WRITTEN_OUT, cohort, ratios, undrawn
from mammo_fixtures.metrics.tests.fresh_cohorts import ratios as fresh_ratios

RESAMPLES = 3000
"""With these a standard error is known to 1.3 %."""
FRESH = 500
AGREEMENT = {"ks": 0.10, "ece": 0.10}
"""Metrics with a maximum or absolute values in them; resamples add to those what their noise folds over."""


def test_every_metric_is_the_one_written_out():
    assert set(WRITTEN_OUT) == {metric.name for metric in METRICS}
    sample = cohort(61)
    drawn = undrawn(sample)
    for metric in METRICS:
        by_hand = [WRITTEN_OUT[metric.name](drawn, condition)[0] for condition in (0, 1)]
        assert measure(metric, sample, TERMS).value == pytest.approx(by_hand, abs=1e-10), metric.name


def test_clustered_errors_are_those_of_resampled_patients():
    found = ratios(cohort(200), RESAMPLES)
    far = {name: ratio for name, ratio in found.items() if max(abs(np.array(ratio) - 1.0)) > AGREEMENT.get(name, 0.05)}
    assert far == {}


def test_breasts_taken_for_independent_would_not_agree():
    """The comparison can fail: without patients the errors are too small."""
    sample = cohort(200)
    apart = type(sample)(scores=sample.scores, malignant=sample.malignant, clusters=np.arange(len(sample.malignant)))
    for metric in METRICS:
        if metric.name in ("auc", "brier", "calibration_intercept"):
            ratio = measure(metric, apart, TERMS).standard_error[1] / measure(metric, sample, TERMS).standard_error[1]
            assert ratio < 0.97, metric.name


def test_no_error_is_smaller_than_the_scatter_of_fresh_cohorts():
    """Where resamples fold noise over once more than a fresh cohort, errors are those of fresh cohorts or larger."""
    found = fresh_ratios(61, FRESH, ("sensitivity", "ece", "brier"))
    least = 1.0 - 0.05 - 2.0 / np.sqrt(2.0 * FRESH)
    assert {name: ratio for name, ratio in found.items() if min(ratio) < least} == {}
    assert max(found["brier"]) < 1.0 + 0.05 + 2.0 / np.sqrt(2.0 * FRESH)

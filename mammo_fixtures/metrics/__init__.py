"""Metrics summarise the scores of many breasts under each condition, with intervals and paired drops.

A new metric is one file with one record, and one entry in `METRICS`.
"""

from __future__ import annotations

from mammo_fixtures.metrics.auc import AUC, auc, measure_auc
from mammo_fixtures.metrics.calibration import BRIER, CALIBRATION_INTERCEPT, CALIBRATION_SLOPE, ECE
from mammo_fixtures.metrics.decisions import FLIP_RATE, RECALL_RATE, SENSITIVITY, SPECIFICITY
from mammo_fixtures.metrics.measure import measure
from mammo_fixtures.metrics.metric import READERS, Estimates, Metric, Sample, Terms
from mammo_fixtures.metrics.operating_point import OperatingPoint
from mammo_fixtures.metrics.partial_auc import PARTIAL_AUC
from mammo_fixtures.metrics.separability import KS
from mammo_fixtures.metrics.stability import LOGIT_SHIFT, RANK_CORRELATION

METRICS: tuple[Metric, ...] = (
    AUC,
    PARTIAL_AUC,
    SENSITIVITY,
    SPECIFICITY,
    RECALL_RATE,
    KS,
    FLIP_RATE,
    RANK_CORRELATION,
    LOGIT_SHIFT,
    BRIER,
    ECE,
    CALIBRATION_SLOPE,
    CALIBRATION_INTERCEPT,
)

__all__ = [
    "METRICS",
    "READERS",
    "Estimates",
    "Metric",
    "OperatingPoint",
    "Sample",
    "Terms",
    "auc",
    "measure",
    "measure_auc",
]

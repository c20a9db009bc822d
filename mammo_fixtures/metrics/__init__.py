"""Metrics summarise the scores of many breasts under each condition, with intervals and paired drops.

A new metric is one file with one record, and one entry in `METRICS`.
"""

from __future__ import annotations

from mammo_fixtures.metrics.auc import AUC, auc, measure_auc
from mammo_fixtures.metrics.metric import Estimates, Metric, Sample

METRICS: tuple[Metric, ...] = (AUC,)

__all__ = ["METRICS", "Estimates", "Metric", "Sample", "auc", "measure_auc"]

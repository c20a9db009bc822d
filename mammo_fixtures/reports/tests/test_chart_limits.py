"""Margins in charts: where they lie, on which side a claim is missed, and that the axis reaches them."""

from dataclasses import replace

import pytest

from mammo_fixtures.reports.charts import charts
from mammo_fixtures.reports.judged_by import Tolerances
from mammo_fixtures.reports.matrix import subgroups_of
from mammo_fixtures.reports.tests.example_findings import findings


def drawn(metric, *, claim="holds", margin, clean, perturbed):
    """The chart of one metric at one severity, and its axes."""
    plain = findings(perturbations=1, subgroups=("all",))
    tolerance = replace(
        plain.tolerances[0], claim=claim, metric=metric, margin=margin, severities=(0.5,),
        **({"operating_point": "specificity>=0.90"} if metric == "flip_rate" else {}),
    )  # fmt: skip
    about = {"metric": metric, "subgroup": "all", "perturbation": "lowpass", "unit": "mm"}
    figures = {"positives": 40, "negatives": 160, "drop": 0.0, "drop_low": 0.0, "drop_high": 0.0}
    point = {"severity": 0.5, "value": perturbed, "low": perturbed, "high": perturbed, **figures}
    point |= dict.fromkeys(("drop", "drop_low", "drop_high"), clean - perturbed)
    points = [{"severity": 0.0, "value": clean, "low": clean, "high": clean, **figures}, point]
    verdict = plain.verdicts[0] | about | {
        "test": f"test_{claim}[lowpass-0.50mm-all-{metric}]", "claim": claim, "severity": 0.5, "margin": margin,
    }  # fmt: skip
    terms = {"operating_point": "specificity>=0.90"} if metric in ("flip_rate", "recall_rate") else {}
    found = replace(
        plain, verdicts=[verdict], tolerances=[tolerance], curves=[about | terms | {"points": points}]
    )  # fmt: skip
    (chart,) = charts(found, Tolerances.of(found.tolerances), subgroups_of(found))
    return chart


@pytest.mark.parametrize(
    ("metric", "claim", "clean", "values", "drops"),
    [
        ("auc", "holds", 0.9, [(0.8, True)], [(0.1, False)]),
        ("auc", "responds", 0.9, [(0.8, False)], [(0.1, True)]),
        ("flip_rate", "holds", 0.0, [(0.1, False)], [(-0.1, True)]),
        ("brier", "holds", 0.1, [(0.2, False)], [(-0.1, True)]),
        ("brier", "responds", 0.1, [(0.2, True)], [(-0.1, False)]),
        ("logit_shift", "holds", 0.0, [(-0.1, True), (0.1, False)], [(0.1, False), (-0.1, True)]),
        ("recall_rate", "holds", 0.3, [(0.2, True), (0.4, False)], [(0.1, False), (-0.1, True)]),
        ("recall_rate", "responds", 0.3, [(0.2, False), (0.4, True)], [(0.1, True), (-0.1, False)]),
    ],
)
def test_a_margin_lies_where_the_claim_turns_and_is_hatched_where_it_is_missed(metric, claim, clean, values, drops):
    chart = drawn(metric, claim=claim, margin=0.1, clean=clean, perturbed=clean + 0.03)
    for view, limits in (("value", values), ("drop", drops)):
        up = chart.up[view]
        assert all(up.low <= value <= up.high for value, _ in limits), "a margin beyond the axis would lie on its edge"
        found = {(limit.y, limit.below) for limit in chart.series[0].limits[view]}
        assert found == {(up.y(value), below) for value, below in limits}, view

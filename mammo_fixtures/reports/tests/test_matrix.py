"""The matrix: one row for each subgroup and metric, so that each cell's neighbours ask what it asks."""

from dataclasses import replace

from mammo_fixtures.reports.judged_by import Tolerances
from mammo_fixtures.reports.matrix import matrix
from mammo_fixtures.reports.tests.example_findings import findings, verdict
from mammo_fixtures.verdicts.claim import judged_claims


def rows_of(found):
    return [
        (row.subgroup, row.asked, [[v["test"] for v in cell] for cell in row.cells])
        for group in matrix(found, Tolerances.of(found.tolerances), ["all", "masses"])
        for row in group.rows
    ]


def test_metrics_and_their_terms_have_rows_of_their_own_that_name_them():
    plain = findings(perturbations=1, subgroups=("all", "masses"))
    of_all = plain.tolerances[0]
    asked = [
        replace(of_all, severities=(0.5, 2.0)),
        replace(of_all, metric="sensitivity", severities=(0.5,)),
        replace(of_all, metric="sensitivity", severities=(0.5, 2.0), operating_point="score>0.42"),
        replace(of_all, claim="responds_more", than="masses", severities=(2.0,)),
    ]
    made = [
        verdict(claim, "held") | {"test": f"test_{kind}[{claim.id}]", "claim": kind, "metric": claim.metric}
        for kind in ("holds", "responds_more")
        for claim in judged_claims(asked, kind)
    ]
    found = replace(plain, verdicts=made[::-1], tolerances=asked)
    assert rows_of(found) == [
        ("all", "AUC", [["test_holds[lowpass-0.50mm-all-auc]"], ["test_holds[lowpass-2.00mm-all-auc]"]]),
        ("all", "AUC, more than masses", [[], ["test_responds_more[lowpass-2.00mm-all-than-masses-auc]"]]),
        (
            "all",
            "sensitivity, at score>0.42",
            [
                ["test_holds[lowpass-0.50mm-all-sensitivity-score_0.42]"],
                ["test_holds[lowpass-2.00mm-all-sensitivity-score_0.42]"],
            ],
        ),
        ("all", "sensitivity, at specificity>=0.90", [["test_holds[lowpass-0.50mm-all-sensitivity]"], []]),
    ]


def test_where_all_claims_ask_for_one_metric_rows_need_no_name_of_it():
    found = findings(perturbations=1, subgroups=("all", "masses"))
    assert [(row[0], row[1]) for row in rows_of(found)] == [("all", ""), ("masses", "")]

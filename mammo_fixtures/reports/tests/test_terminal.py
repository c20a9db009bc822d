"""The terminal's table, and the JSON files."""

import json
import re

import pytest

from mammo_fixtures.reports.findings import Findings
from mammo_fixtures.reports.html import html
from mammo_fixtures.reports.json_files import json_files
from mammo_fixtures.reports.ladder import broken_lines, broken_texts
from mammo_fixtures.reports.markdown import markdown
from mammo_fixtures.reports.terminal import counts_line, verdict_table


def verdict(**changed):
    known = {
        "test": "test_holds[lowpass-0.50mm-soft_tissue_lesions-auc]", "claim": "holds", "perturbation": "lowpass",
        "severity": 0.5, "unit": "mm", "subgroup": "soft_tissue_lesions", "metric": "auc", "clean": 0.91,
        "perturbed": 0.84, "drop": 0.07, "low": 0.041, "high": 0.099, "margin": 0.05, "confidence": 0.95,
        "outcome": "inconclusive", "positives": 48, "negatives": 211, "sentence": "…",
    }  # fmt: skip
    return known | changed


def test_the_table_has_every_figure_in_full_whatever_the_terminal():
    long = "test_holds[lowpass-0.50mm-" + "x" * 150 + "-auc]"
    table = verdict_table([verdict(), verdict(test=long, outcome="not_run", drop=None, low=None, high=None)])
    first, second = table.splitlines()[-2:]
    assert " ".join(first.split()) == (
        "holds lowpass-0.50mm-soft_tissue_lesions-auc 0.910 0.840 0.070 [0.041, 0.099] 0.05 48/211 inconclusive"
    )
    assert "x" * 150 in second
    assert "– [–, –]" in second
    assert second.endswith("not run")


@pytest.mark.parametrize(
    ("claims", "heads"),
    [
        (["holds", "responds"], ("clean", "perturbed")),
        (["not_worse"], ("baseline", "candidate")),
        (["holds", "not_worse"], ("clean or baseline", "perturbed or candidate")),
    ],
)
def test_what_a_claim_compares_is_called_what_it_is(claims, heads):
    """Of a claim against a baseline the first figure is the baseline's under the same condition, not a clean one."""
    made = [verdict(claim=claim, test=f"test_{claim}[lowpass-0.50mm-all-auc]") for claim in claims]
    head = re.split(r"  +", verdict_table(made).splitlines()[0])
    assert tuple(head[1:3]) == heads
    assert f"| {heads[0]} | {heads[1]} | drop" in markdown(Findings(header={}, verdicts=made))
    page = html(Findings(header={}, verdicts=made))
    names = {"not_worse": ["baseline", "candidate"]}
    assert re.findall(r"<dt>(clean|baseline|perturbed|candidate)</dt>", page) == [
        name for claim in claims for name in names.get(claim, ["clean", "perturbed"])
    ]


def test_a_difference_of_drops_is_not_called_a_drop():
    made = [verdict(claim=claim, test=f"test_{claim}[x]") for claim in ("holds", "responds_more")]
    found = re.findall(r"<dt>(.*) and bounds</dt>", html(Findings(header={}, verdicts=made)))
    assert found == ["drop", "difference of drops"]


@pytest.mark.parametrize(("encoding", "rule"), [("utf-8", "─"), ("iso8859-1", "-"), ("ascii", "-")])
def test_the_rule_is_of_signs_that_the_terminal_has(encoding, rule):
    lines = verdict_table([verdict()], encoding=encoding).splitlines()
    assert set(lines[1]) == {rule}


def test_a_drop_that_rounds_to_nothing_has_no_sign():
    """As in the sentence and the report: -0.000 reads as if something had been gained."""
    table = verdict_table([verdict(drop=-0.0002, low=-0.004, high=-0.0004)])
    assert " 0.000 [-0.004, 0.000] " in table


def test_clean_has_no_drop():
    table = verdict_table(
        [verdict(claim="clean", test="test_clean[clean-all-auc]", margin=None, perturbed=None, drop=None)]
    )
    assert table.splitlines()[-1].split() == ["clean", "clean-all-auc", "0.910", "48/211", "inconclusive"]


def test_text_from_files_is_not_taken_for_markup():
    assert "[red]x" in verdict_table([verdict(test="test_holds[[red]x]")])


def test_what_was_never_judged_is_counted():
    held = verdict(outcome="held")
    assert counts_line([held, held, verdict()], selected=3) == "claims: 2 held, 0 broken, 1 inconclusive, 0 not run"
    assert counts_line([held], selected=4).endswith(", 3 never judged")


def test_clean_aucs_are_counted_apart_from_claims():
    clean = [verdict(claim="clean", outcome=outcome) for outcome in ("held", "held", "broken")]
    assert counts_line([verdict(outcome="held"), *clean], selected=2) == (
        "claims: 1 held, 0 broken, 0 inconclusive, 0 not run, 1 never judged; clean AUC: 2 held, 1 broken"
    )


def test_what_tolerances_accept_is_counted_as_accepted():
    held, open_ = verdict(outcome="held", test="a"), verdict(test="b")
    clean = verdict(claim="clean", outcome="not_run", test="c")
    ends = {"a": {"outcome": "passed"}, "b": {"outcome": "passed"}, "c": {"outcome": "skipped"}}
    assert counts_line([held, open_, clean], selected=2, ends=ends) == (
        "claims: 1 held, 0 broken, 1 inconclusive (accepted), 0 not run; clean AUC: 1 not run (accepted)"
    )
    more = verdict(test="d")
    line = counts_line([held, open_, more], selected=3, ends=ends | {"d": {"outcome": "failed"}})
    assert line == "claims: 1 held, 0 broken, 2 inconclusive (1 accepted), 0 not run"
    refused = {test: {"outcome": "failed"} for test in ends}
    assert "accepted" not in counts_line([held, open_, clean], selected=2, ends=refused)


def test_json_has_the_same_bytes_whatever_the_order_and_refuses_nan():
    one, two = verdict(test="a"), verdict(test="b")
    first, second = (json_files(header={"seed": 0}, verdicts=order, curves=[]) for order in ([one, two], [two, one]))
    assert first == second
    assert json.loads(first["verdicts.json"])["verdicts"] == [one, two]
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_files(header={}, verdicts=[verdict(drop=float("nan"))], curves=[])


def test_where_a_claim_is_broken_the_curve_says_from_which_severity_on():
    mean = {"value": 0.8, "low": 0.7, "high": 0.9, "drop": 0.1, "drop_low": 0.0, "drop_high": 0.2}
    points = [{"value": 0.9, "low": 0.85, "positives": 40}, {"positives": 40}]
    curve = {
        "perturbation": "lowpass", "unit": "mm", "metric": "auc", "subgroup": "masses", "points": points,
        "ladder_mean": mean, "first_broken": [
            {"margin": 0.05, "confidence": 0.95, "severity": 0.5}, {"margin": 0.2, "confidence": 0.9, "severity": None},
        ],
    }  # fmt: skip
    broken = verdict(subgroup="masses", outcome="broken")
    told = ["lowpass, masses, AUC: margin 0.05 first broken at 0.50 mm; margin 0.2 broken nowhere at 90 % confidence"]
    assert broken_lines([curve], [broken]) == told
    assert broken_lines([curve], [broken | {"outcome": "held"}]) == []
    assert broken_lines([curve], [broken | {"subgroup": "grains"}]) == []
    assert broken_lines([curve | {"first_broken": []}], [broken]) == []


@pytest.mark.parametrize(
    ("clean", "positives", "said"),
    [
        (
            {"value": 0.926, "low": 0.8},
            22,
            "margin 0.05 not decided, 22 malignant breasts are fewer than the 26 needed",
        ),
        ({"value": 0.926, "low": 0.8}, 26, "margin 0.05 broken nowhere"),
        ({"value": 0.6, "low": 0.49}, 40, "margin 0.05 not decided, the clean AUC is not above chance"),
        ({"value": None, "low": None}, 0, "margin 0.05 not decided, 0 malignant breasts are fewer than the 30 needed"),
    ],
)
def test_a_curve_that_could_not_be_found_broken_is_not_called_broken_nowhere(clean, positives, said):
    """However far it falls: the report of 22 cancers whose AUC fell to chance said so."""
    curve = {
        "metric": "auc", "unit": "mm", "points": [clean, {"positives": positives}],
        "first_broken": [{"margin": 0.05, "confidence": 0.95, "severity": None}],
    }  # fmt: skip
    assert broken_texts(curve) == [said]

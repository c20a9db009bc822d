"""Tests that are run again, by a plugin, or skipped altogether: what counts, and which status it ends with."""

import json

import pytest

from mammo_fixtures.plugin.run import CURVE, VERDICT, Run
from mammo_fixtures.plugin.tests.test_gate import curves
from mammo_fixtures.plugin.tests.test_gate import run as gate_run


def report(outcome, verdicts, when="call", test="test_holds[a]"):
    properties = [(VERDICT, json.dumps(each)) for each in verdicts] + [(CURVE, json.dumps({"of": test}))]
    return pytest.TestReport(f"a.py::{test}", ("a.py", 1, test), {}, outcome, None, when, user_properties=properties)


@pytest.fixture
def run():
    made = Run(settings=None, tolerances=())
    yield made
    made.end()


def test_a_claim_that_is_judged_again_is_one_claim(run):
    verdict = {"test": "test_holds[a]", "outcome": "broken"}
    # The properties of a test grow with each time that it is run.
    for times, outcome in enumerate(("rerun", "rerun", "failed"), 1):
        run.take(report(outcome, [verdict] * times))
    assert run.verdicts == [verdict]
    assert run.curves == [{"of": "test_holds[a]"}]
    assert run.ends["test_holds[a]"]["outcome"] == "failed"


def test_claims_of_two_tests_are_two_though_they_are_alike(run):
    for test in ("test_holds[a-1-2]", "test_holds[a-2-2]"):
        run.take(report("passed", [{"test": test, "outcome": "held"}], test=test))
    assert len(run.verdicts) == 2


@pytest.mark.parametrize(
    ("outcomes", "nothing"),
    [((), False), (("skipped", "skipped"), True), (("skipped", "passed"), False), (("skipped", "failed"), False)],
)
def test_nothing_is_judged_where_all_was_skipped(run, outcomes, nothing):
    for number, outcome in enumerate(outcomes):
        run.take(report(outcome, [], test=f"test_curve[{number}]"))
    assert run.judged_nothing is nothing


def test_a_claim_that_a_tolerance_lets_go_unjudged_is_not_nothing(run):
    run.take(report("skipped", [{"test": "test_holds[a]", "outcome": "not_run"}]))
    assert not run.judged_nothing


def test_curves_without_a_snapshot_folder_are_skipped_with_that_reason(gate):
    result = gate_run(gate, "-k", "curve", "--mammo-report=out", "-rs")
    assert result.ret == 1, "what is not judged has not passed"
    result.stdout.fnmatch_lines(
        [
            "note: nothing was judged: all that was selected was skipped (-rs says why), so the status is 1",
            "*no snapshot folder for this classifier and cohort; give one with --mammo-snapshots=DIR*",
        ]
    )
    assert "The gate failed: nothing was judged." in (gate.path / "out" / "report.html").read_text(encoding="utf-8")
    assert len(curves(gate.path / "out")) == 6, "two perturbations that tolerances name, three subgroups"

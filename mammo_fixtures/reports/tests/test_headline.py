"""One sentence says whether the gate passed, and never says so of a run that did not."""

from dataclasses import replace

import pytest

from mammo_fixtures.reports.findings import Findings
from mammo_fixtures.reports.headline import accepted_lines, headline
from mammo_fixtures.reports.tests.example_findings import end, findings


def of(**changed):
    return headline(findings(perturbations=1, subgroups=("all",), **changed))


def test_all_held():
    assert of(outcomes=("held",)).sentence == "The gate passed: all 8 claims were held."


def test_not_held_is_counted_by_outcome():
    found = of()
    assert found.word == "failed"
    assert found.sentence == "The gate failed: 4 of 8 claims were not held (2 broken, 1 not run, 1 inconclusive)."
    assert found.counts == {"broken": 2, "not_run": 1, "inconclusive": 1, "held": 4}


def test_a_cohort_that_cannot_decide_is_told_from_a_broken_classifier():
    found = of(outcomes=("inconclusive", "held"))
    assert found.word == "failed"
    assert found.sentence == (
        "The gate failed: 4 of 8 claims could not be decided with these breasts, none was found broken."
    )


def accepting(*outcomes, end="passed", refused=(), **changed):
    plain = findings(perturbations=1, subgroups=("all",), outcomes=outcomes, **changed)
    ends = {v["test"]: {"outcome": "failed" if v["outcome"] in refused else end, "message": ""} for v in plain.verdicts}
    return replace(plain, ends=ends)


@pytest.mark.parametrize(
    ("outcomes", "refused", "said"),
    [
        (
            ("held", "inconclusive"),
            (),
            "passed: 4 of 8 claims were held; the other 4 are accepted by their tolerances (4 inconclusive).",
        ),
        (
            (*["held"] * 7, "inconclusive"),
            (),
            "passed: 7 of 8 claims were held; the other one is accepted by its tolerance (inconclusive).",
        ),
        (
            ("not_run", "inconclusive"),
            (),
            "passed: none of 8 claims was held; all are accepted by their tolerances (4 not run, 4 inconclusive).",
        ),
        (
            (*["held"] * 6, "broken", "inconclusive"),
            ("broken",),
            "failed: 1 of 8 claims was not held (broken); 1 more is accepted by its tolerance (inconclusive).",
        ),
    ],
)
def test_what_a_tolerance_accepts_is_no_failure_and_no_held_claim(outcomes, refused, said):
    found = accepting(*outcomes, refused=refused)
    assert headline(found).sentence == f"The gate {said}"


def test_what_a_tolerance_accepts_is_named_a_line_for_each_outcome():
    found = accepting("held", "inconclusive", "not_run", "held")
    names = {
        outcome: ", ".join(v["test"] for v in found.verdicts if v["outcome"] == outcome)
        for outcome in ("inconclusive", "not_run")
    }
    assert accepted_lines(found.verdicts, found.ends) == [
        f"accepted though not run, as their tolerances say: {names['not_run']}",
        f"accepted though inconclusive, as their tolerances say: {names['inconclusive']}",
    ]
    many = accepting("inconclusive")
    long = [v | {"test": f"test_holds[{number}]"} for number, v in enumerate(2 * list(many.verdicts))]
    told = accepted_lines(long, {v["test"]: {"outcome": "skipped"} for v in long})
    assert told[0].endswith("test_holds[8], test_holds[9] and 6 more")
    assert accepted_lines(found.verdicts, {}) == [], "what never ended is not accepted"


def test_a_clean_auc_that_may_stay_unjudged_is_told_where_all_claims_are_held():
    plain = accepting("held")
    unjudged = {**plain.verdicts[0], "claim": "clean", "test": "test_clean[clean-x-auc]", "outcome": "not_run"}
    ends = plain.ends | {unjudged["test"]: {"outcome": "skipped", "message": ""}}
    found = headline(replace(plain, verdicts=(*plain.verdicts, unjudged), ends=ends))
    assert found.sentence == (
        "The gate passed: all 8 claims were held; the clean AUC of one subgroup was not judged, as the tolerances on "
        "it allow."
    )


def test_another_failed_test_fails_the_gate_though_all_claims_are_held():
    plain = findings(perturbations=1, subgroups=("all",), outcomes=("held",))
    ends = dict(plain.ends) | {"test_contract[x]": {"outcome": "failed", "message": "no"}}
    found = headline(replace(plain, ends=ends))
    assert found.sentence == "The gate failed: all 8 claims were held; 1 other test failed."


def test_a_claim_never_judged_is_no_pass():
    found = of(outcomes=("held",), selected=10)
    assert (
        found.sentence
        == "The gate failed: all 8 claims that were judged were held; 2 selected claims were never judged."
    )
    assert found.never_judged == 2


def test_a_stopped_run_says_that_it_is_part_of_one():
    found = of(outcomes=("held",), selected=10, stopped="it was interrupted")
    assert found.word == "stopped"
    assert found.sentence == (
        "The gate was stopped: it was interrupted; of 10 claims 8 were judged (8 held), so this report is part of one."
    )


@pytest.mark.parametrize(
    ("ends", "word", "said"),
    [
        (("passed", "skipped"), "passed", "The gate passed: no claim of the tolerances was selected."),
        (("skipped",), "failed", "The gate failed: nothing was judged."),
        (("passed", "failed"), "failed", "The gate failed: 1 test failed."),
    ],
)
def test_a_run_of_curves_alone_is_told_as_pytest_tells_it(ends, word, said):
    tests = {f"test_curve[{place}]": end(how) for place, how in enumerate(ends)}
    found = headline(Findings(header={}, verdicts=[], ends=tests))
    assert (found.word, found.sentence) == (word, said)


def test_nothing_at_all_is_no_pass():
    assert headline(findings(perturbations=0)).sentence == "The gate failed: nothing was judged."


def test_a_clean_auc_not_shown_to_be_above_chance_is_told():
    plain = findings(perturbations=1, subgroups=("all",), outcomes=("held",))
    unclean = {**plain.verdicts[0], "claim": "clean", "perturbation": "clean", "outcome": "not_run"}
    for count, said in ((1, "one subgroup"), (2, "2 subgroups")):
        more = tuple({**unclean, "test": f"test_clean[clean-{number}-auc]"} for number in range(count))
        found = headline(replace(plain, verdicts=(*plain.verdicts, *more)))
        assert found.sentence == (
            f"The gate failed: all 8 claims were held; the clean AUC of {said} was not shown to be better than chance."
        )

"""One sentence says whether the gate passed, and never says so of a run that did not."""

from dataclasses import replace

from mammo_fixtures.reports.headline import headline
from mammo_fixtures.reports.tests.example_findings import findings


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


def test_what_a_tolerance_accepts_is_no_failure_and_no_held_claim():
    plain = findings(perturbations=1, subgroups=("all",), outcomes=("held", "inconclusive"))
    accepted = replace(plain, ends={test: {"outcome": "passed", "message": ""} for test in plain.ends})
    assert headline(accepted).sentence == (
        "The gate passed: of 8 claims 4 inconclusive, 4 held, and their tolerances accept the others."
    )


def test_another_failed_test_fails_the_gate_though_all_claims_are_held():
    plain = findings(perturbations=1, subgroups=("all",), outcomes=("held",))
    ends = dict(plain.ends) | {"test_contract[x]": {"outcome": "failed", "message": "no"}}
    found = headline(replace(plain, ends=ends))
    assert found.sentence == "The gate failed: of 8 claims 8 held; 1 other test failed."


def test_a_claim_never_judged_is_no_pass():
    found = of(outcomes=("held",), selected=10)
    assert found.sentence == "The gate failed: of 8 claims 8 held; 2 selected claims were never judged."
    assert found.never_judged == 2


def test_a_stopped_run_says_that_it_is_part_of_one():
    found = of(outcomes=("held",), selected=10, stopped="it was interrupted")
    assert found.word == "stopped"
    assert found.sentence == (
        "The gate was stopped: it was interrupted; of 10 claims 8 were judged (8 held), so this report is part of one."
    )


def test_nothing_at_all_is_no_pass():
    assert headline(findings(perturbations=0)).sentence == "The gate failed: nothing was judged."


def test_a_clean_auc_not_shown_to_be_above_chance_is_told():
    plain = findings(perturbations=1, subgroups=("all",), outcomes=("held",))
    unclean = {**plain.verdicts[0], "claim": "clean", "perturbation": "clean", "outcome": "not_run"}
    for count, said in ((1, "one subgroup"), (2, "2 subgroups")):
        more = tuple({**unclean, "test": f"test_clean[clean-{number}-auc]"} for number in range(count))
        found = headline(replace(plain, verdicts=(*plain.verdicts, *more)))
        assert found.sentence == (
            f"The gate failed: of 8 claims 8 held; the clean AUC of {said} was not shown to be better than chance."
        )

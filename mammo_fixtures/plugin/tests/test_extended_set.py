"""What `-m extended` runs."""

import json

from mammo_fixtures.perturbations import PERTURBATIONS


def test_the_extended_set_draws_every_extended_perturbation_and_the_core_gate_none(gate):
    extended = {f"test_curve[{r.name}-all-auc]" for r in PERTURBATIONS if r.set == "extended"}

    def collected(*arguments):
        lines = gate.runpytest_subprocess("--co", "-q", "-k", "test_curve and all", *arguments, timeout=300).outlines
        return {line.partition("::")[2] for line in lines if "::" in line}

    assert collected("-m", "extended") == extended
    assert collected() == {"test_curve[lowpass-all-auc]", "test_curve[contrast-all-auc]"}


def test_a_curve_that_nothing_was_scored_for_is_skipped_with_the_reason(gate):
    result = gate.runpytest_subprocess(
        "-m", "extended", "-k", "view_swap or missing_view", "--mammo-report=out", "-rs", timeout=300
    )
    assert result.ret == 1, "what is not judged has not passed"
    result.stdout.fnmatch_lines(
        [
            "*no curve over missing_view: needs two views of a breast; 0 of 300 breasts have them*",
            "*no curve over view_swap: needs a classifier at exam level whose views have counterparts*",
        ]
    )
    assert json.loads((gate.path / "out" / "curves.json").read_text())["curves"] == []

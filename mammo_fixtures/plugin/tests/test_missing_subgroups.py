"""Claims about a subgroup that the exams do not have are told before anything is scored."""

import pytest

from mammo_fixtures.exams import Breast, Cohort, Exam
from mammo_fixtures.plugin.missing_subgroups import missing_subgroups, relied_on
from mammo_fixtures.plugin.tests.gate_folder import TOLERANCES
from mammo_fixtures.verdicts import Tolerance
from mammo_fixtures.verdicts.claim import judged_claims
from mammo_fixtures.verdicts.subgroups import belongs


def breast(number, subgroup, density, malignant):
    return Breast(
        exam_id=str(number), side="L", views=(object(),), malignant=malignant, subgroup=subgroup,
        strata={"density": density},
    )  # fmt: skip


def cohort(*kinds):
    return Cohort(
        name="some",
        exams=tuple(Exam(exam_id=str(n), breasts=(breast(n, *kind),)) for n, kind in enumerate(kinds)),
    )


SOME = cohort(("masses", "a", True), ("grains", "d", True), ("normal", "d", False), ("grains", "b", None))


def test_a_breast_belongs_to_subgroups_strata_and_crossings():
    one = breast(0, "masses", "d", True)
    assert belongs(one, "all")
    assert belongs(one, "masses & density=d")
    assert not belongs(one, "masses & density=a")
    assert not belongs(one, "microcalcifications")
    assert not belongs(one, "age=50")


@pytest.mark.parametrize(
    ("subgroup", "said"),
    [
        ("mases", "of 2 malignant breasts none has subgroup 'mases'; did you mean 'masses'?"),
        ("normal", "of 2 malignant breasts none has subgroup 'normal'; there are grains, masses"),
        ("density=b", "of 2 malignant breasts none has density 'b'; there are a, d"),
        ("dense=d", "of 2 malignant breasts none has dense 'd'"),
        ("masses & density=d", "of 2 malignant breasts none is in it"),
    ],
)
def test_each_subgroup_that_no_malignant_breast_is_in_is_a_line(subgroup, said):
    there = {"all": 3, "masses": 1, "grains & density=d": 1, "side=L": 1}
    assert missing_subgroups(there | {subgroup: 2}, SOME) == [f"2 claims on {subgroup} cannot be judged: {said}"]


def test_without_malignant_breasts_every_claim_is_told():
    said = missing_subgroups({"all": 1}, cohort(("normal", "d", False)))
    assert said == ["1 claim on all cannot be judged: of 0 malignant breasts none is in it"]


def test_claims_that_may_stay_unjudged_rely_on_nothing_unless_strict():
    contrast = {"claim": "holds", "perturbation": "contrast", "margin": 0.1, "reason": "x"}
    more = {"claim": "responds_more", "perturbation": "lowpass", "margin": 0.1, "reason": "x"}
    tolerances = [
        Tolerance(**contrast, severities=(0.9, 0.5), subgroup="masses"),
        Tolerance(**contrast, severities=(0.5,), subgroup="rare", not_run="allow"),
        Tolerance(**more, severities=(4.0,), subgroup="grains", than="masses"),
    ]
    claims = [c for kind in ("holds", "responds_more") for c in judged_claims(tolerances, kind)]
    assert relied_on(claims, tolerances, strict=False) == {"masses": 3, "grains": 1}
    assert relied_on(claims, tolerances, strict=True) == {"masses": 3, "grains": 1, "rare": 1}


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_misspelt_subgroup_is_told_before_the_scores(gate, workers):
    path = gate.path / "robustness_tests" / "tolerances.toml"
    path.write_text(TOLERANCES.replace('"soft_tissue_lesions"', '"soft_tissue_lesion"'))
    result = gate.runpytest_subprocess("-k", "holds and 0.50mm", *workers)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    said = (
        "[[]mammo] 1 claim on soft_tissue_lesion cannot be judged: of 100 malignant breasts none has subgroup "
        "'soft_tissue_lesion'; did you mean 'soft_tissue_lesions'?"
    )
    result.stdout.fnmatch_lines([said, "claims: * 1 not run"])
    assert result.stdout.str().count("[mammo] 1 claim on") == 1


def test_a_plan_tells_it_too(gate):
    path = gate.path / "robustness_tests" / "tolerances.toml"
    path.write_text(TOLERANCES.replace('"soft_tissue_lesions"', '"soft_tissue_lesion"'))
    result = gate.runpytest_subprocess("--mammo-plan")
    result.stdout.fnmatch_lines(["plan: 1 claim on soft_tissue_lesion cannot be judged: *'soft_tissue_lesions'?"])

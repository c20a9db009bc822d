"""What a perturbation needs beside pixels: who is scored, who is not, and in which words; nothing is computed twice."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mammo_fixtures import UnusableInput, View, curve, judge, perturb, read_cohort
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Cohort
from mammo_fixtures.scoring import CLEAN, Condition, ScoreTable
from mammo_fixtures.scoring.identical import identical_to_clean
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.comparing import same
from mammo_fixtures.scoring.tests.tiny_cohort import FourViews, Pattern, exam_level, in_memory, on_disk, view_level
from mammo_fixtures.verdicts import Tolerance

INSIDE = {"lowpass_inside": (2.0,), "lowpass_outside": (2.0,)}
REGION = np.zeros(tiny_cohort.SHAPE, np.bool_)
REGION[8:14, 2:7] = True
PARTLY = "not in every view: a lesion seen there too stays clear inside and is blurred outside"


def with_regions(exams, *of):
    """A cohort whose breasts of these exams' left sides have a region in their CC view."""

    def changed(breast):
        if breast.side != "L" or breast.exam_id not in of:
            return breast
        return replace(breast, views=(replace(breast.views[0], region=REGION), *breast.views[1:]))

    cohort = in_memory(exams)
    return Cohort(
        name="tiny",
        exams=tuple(replace(exam, breasts=tuple(map(changed, exam.breasts))) for exam in cohort.exams),
    )


def row(table, exam_id, side):
    return int(np.flatnonzero((table.exam_id == exam_id) & (table.side == side))[0])


def at(table, perturbation, severity, exam_id, side):
    return table.at(Condition(perturbation, severity))[row(table, exam_id, side), 0]


def test_a_malignant_breast_without_a_region_has_no_score_and_is_counted(run):
    table, _, _ = run(with_regions(5, "0", "2"), INSIDE)
    for name in INSIDE:
        missing = np.isnan(table.at(Condition(name, 2.0))[:, 0])
        assert [tuple(x) for x in zip(table.exam_id[missing], table.side[missing], strict=True)] == [("4", "L")]
        assert table.unmet[name] == f"needs a lesion region; 2 of 3 malignant breasts have one, 2 of them {PARTLY}"
    assert not np.isnan(table.at(CLEAN)).any()


def test_a_region_drawn_in_one_view_of_two_is_told(run):
    cohort = with_regions(5, "0", "2", "4")
    table, _, _ = run(cohort, INSIDE)
    for name in INSIDE:
        assert not np.isnan(table.at(Condition(name, 2.0))).any()
        assert table.unmet[name] == f"needs a lesion region; 3 of 3 malignant breasts have one, 3 of them {PARTLY}"


def test_inside_and_outside_are_scored_as_perturbed_by_hand(run):
    cohort = with_regions(2, "0")
    table, _, _ = run(cohort, INSIDE)
    network = Pattern().requires_grad_(False)
    for exam in cohort:
        for breast in exam.breasts:
            for name in INSIDE:
                expected = np.mean([float(network(perturb(v, name, 2.0)[None, None])) for v in breast.views])
                assert at(table, name, 2.0, exam.exam_id, breast.side) == expected
    # Without a region: nothing inside, everything outside.
    clean = table.at(CLEAN)
    assert at(table, "lowpass_inside", 2.0, "1", "L") == clean[row(table, "1", "L"), 0]
    assert at(table, "lowpass_outside", 2.0, "1", "L") != clean[row(table, "1", "L"), 0]


def test_a_claim_is_judged_on_the_breasts_with_a_region_and_says_so(run):
    cohort = with_regions(60, *(str(number) for number in range(0, 48, 2)))
    table, _, _ = run(cohort, INSIDE)
    tolerance = Tolerance(
        claim="holds", perturbation="lowpass_inside", severities=(2.0,), subgroup="all", metric="auc", margin=0.2,
        reason="a test",
    )  # fmt: skip
    result = curve(table, "lowpass_inside")
    assert (result.clean.positives, result.clean.negatives) == (30, 90)
    assert (result.points[1].positives, result.points[1].negatives) == (24, 90)
    sentence = judge(result, tolerance)[0].sentence
    assert "the 24 of 30 malignant and 90 of 90 other breasts that have a score" in sentence
    none = curve(run(in_memory(60), INSIDE)[0], "lowpass_inside")
    assert judge(none, tolerance)[0].outcome == "not_run"


def test_a_warm_run_with_cells_that_cannot_be_scored_decodes_nothing(run, tmp_path):
    manifest = on_disk(tmp_path, 3, roi_path="region.png")
    Image.fromarray(REGION.astype(np.uint8) * 255).save(tmp_path / "region.png")
    text = manifest.read_text()
    # Only exam 0 keeps its region; exam 2, malignant too, has none.
    lines = [line if line.startswith(("exam_id", "0")) else line.replace("region.png", "") for line in text.split("\n")]
    manifest.write_text("\n".join(lines))
    plan = INSIDE | {"fgsm": (4.0,), "missing_view": (1,), "view_swap": (1,)}
    cold, images, decoded = run(read_cohort(manifest), plan)
    assert decoded >= 6
    assert images
    warm, images, decoded = run(read_cohort(manifest), plan)
    assert (images, decoded) == (0, 0)
    assert np.array_equal(warm.scores, cold.scores, equal_nan=True)
    assert warm.unmet == cold.unmet
    assert np.isnan(warm.at(Condition("missing_view", 1.0))).all()
    assert warm.unmet["missing_view"] == "needs two views of a breast; 0 of 6 breasts have them"
    assert warm.unmet["view_swap"] == "needs a classifier at exam level whose views have counterparts"


def test_few_cancers_do_not_make_a_region_look_like_the_clean_images():
    table = ScoreTable(
        conditions=(CLEAN, Condition("lowpass_inside", 2.0), Condition("lowpass", 2.0)),
        readers=("a",),
        scores=np.array([np.arange(200.0), np.arange(200.0), np.arange(200.0)])[:, :, None],
        exam_id=np.arange(200).astype(np.str_),
        side=np.full(200, "L"),
        malignant=(np.arange(200) == 7).astype(np.int8),
        subgroup=np.full(200, ""),
        patient_id=np.full(200, ""),
    )
    assert set(identical_to_clean(table)) == {Condition("lowpass_inside", 2.0), Condition("lowpass", 2.0)}
    table.scores[1, 7] = 0.5
    table.scores[2, 7] = 0.5
    assert set(identical_to_clean(table)) == {Condition("lowpass", 2.0)}


def test_the_choice_of_breasts_is_seeded_balanced_and_kept_when_others_come():
    needs = [
        Needs(cohort=in_memory(exams), classifier=view_level(), seed=seed)
        for exams, seed in ((40, 0), (40, 1), (60, 0))
    ]
    some, other, more = (each.chosen(6) for each in needs)
    assert len(some) == 12
    assert sum(side == "L" and int(exam_id) % 2 == 0 for exam_id, side in some) == 6
    assert some != other
    assert {each for each in more if int(each[0]) < 40} <= some
    everyone = needs[0].chosen(1000)
    assert len(everyone) == 80


def test_unlabelled_breasts_are_not_chosen():
    exam = in_memory(1).exams[0]
    unknown = replace(exam, breasts=tuple(replace(breast, malignant=None) for breast in exam.breasts))
    needs = Needs(cohort=Cohort(name="", exams=(unknown,)), classifier=view_level())
    assert not needs.chosen(5)
    assert not needs.met(unknown.breasts[0], "fgsm")
    assert needs.met(unknown.breasts[0], "lowpass")


def test_a_missing_view_leaves_the_mean_of_the_others(run):
    cohort = in_memory(6)
    table, _, _ = run(cohort, {"missing_view": (1,)})
    network = Pattern().requires_grad_(False)
    left = set()
    for exam in cohort:
        for breast in exam.breasts:
            alone = [float(network(perturb(view, "lowpass", 0.0)[None, None])) for view in breast.views]
            score = at(table, "missing_view", 1.0, exam.exam_id, breast.side)
            assert score in alone
            left.add((exam.exam_id, alone.index(score)))
    assert len(left) == 6, "both breasts of an exam lose the same position"
    assert {place for _, place in left} == {0, 1}, "and other exams lose another"


def test_at_exam_level_a_missing_view_is_all_background(run):
    cohort = in_memory(1)
    seen = {}

    class Looks(FourViews):
        def forward(self, batch):
            seen.update({name: float(images.abs().max()) for name, images in batch.items()})
            return super().forward(batch)

    Sweep(inference=Inference(exam_level(Looks()), device="cpu")).exam(
        cohort.exams[0], {"L": [Condition("missing_view", 1.0)]}
    )
    dark = {name for name, most in seen.items() if most == 0}
    assert dark in ({"L-CC", "R-CC"}, {"L-MLO", "R-MLO"})


def test_a_classifier_that_treats_all_places_alike_keeps_its_scores_when_views_change_places(run):
    cohort = in_memory(8)
    table, _, _ = run(cohort, {"view_swap": (1,)}, exam_level())
    assert np.allclose(table.at(Condition("view_swap", 1.0)), table.at(CLEAN), atol=1e-12)

    class OnlyLeftCC(FourViews):
        def forward(self, batch):
            return super().forward(batch | {"R-CC": 0 * batch["R-CC"]})

    table, _, _ = run(cohort, {"view_swap": (1,)}, exam_level(OnlyLeftCC()))
    assert not np.allclose(table.at(Condition("view_swap", 1.0)), table.at(CLEAN), atol=1e-3)


@pytest.mark.parametrize("name", ["missing_view", "view_swap"])
def test_one_view_by_itself_cannot_lose_or_change_views(name):
    with pytest.raises(UnusableInput) as caught:
        perturb(View.from_array(np.zeros((4, 4), "u2"), pixel_spacing_mm=(1, 1), side="L", position="CC"), name, 1)
    assert str(caught.value) == f"{name}: changes an exam, got one view; score a cohort with score(...)"


def test_tables_do_not_depend_on_what_was_asked_before(run):
    cohort = with_regions(4, "0")
    alone, _, _ = run(cohort, {"lowpass_inside": (2.0,)})
    again, _, _ = run(cohort, {"lowpass_inside": (2.0,)}, seed=0)
    assert np.array_equal(alone.scores, again.scores, equal_nan=True)
    assert same(run(in_memory(2))[0], run(in_memory(2))[0])

"""Exams that lack a view: what a classifier is handed is declared, and no breast is scored on nothing."""

from dataclasses import replace

import pytest
import torch

from mammo_fixtures import Classifier, UnusableInput
from mammo_fixtures.classifiers.gradients import gradients_of
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Cohort
from mammo_fixtures.scoring import CLEAN, Condition
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests.tiny_cohort import in_memory, view_level

MISSING, SWAP = Condition("missing_view", 1.0), Condition("view_swap", 1.0)


class Listening:
    """An exam-level network that keeps what it was handed."""

    def __init__(self):
        self.handed = []

    def __call__(self, views):
        self.handed.append({name: images.clone() for name, images in views.items()})
        whole = {name: images.mean(dim=(1, 2, 3)) for name, images in views.items()}
        sides = {side: [each for name, each in whole.items() if name[0] == side] for side in "LR"}
        return {side: torch.stack(each).mean(dim=0) if each else torch.zeros(1) for side, each in sides.items()}


def without(exam, side, position):
    """The exam with one view gone."""
    breasts = tuple(
        replace(breast, views=tuple(v for v in breast.views if (breast.side, v.position) != (side, position)))
        for breast in exam.breasts
    )
    return replace(exam, breasts=breasts)


def scored(exam, network, conditions=(CLEAN,), **declared):
    classifier = Classifier(network, level="exam", name="mine", **declared)
    sweep = Sweep(inference=Inference(classifier, device="cpu"))
    return sweep.exam(exam, {"L": list(conditions), "R": list(conditions)})


@pytest.fixture
def exam():
    return without(in_memory(1).exams[0], "L", "MLO")


def test_refused_unless_declared(exam):
    with pytest.raises(UnusableInput) as caught:
        scored(exam, Listening())
    assert str(caught.value) == (
        "exam 0: the classifier needs the views L-CC, R-CC, L-MLO, R-MLO, got no L-MLO; add them to the manifest, or "
        "declare what it does without: missing_views='blank' or 'leave_out'"
    )


def test_a_blank_stands_for_it_in_black_and_of_the_same_size(exam):
    network = Listening()
    scored(exam, network, missing_views="blank", intensity=(-1.0, 1.0), input_size=(12, 10), channels=3, score="logit")
    (handed,) = network.handed
    assert list(handed) == ["L-CC", "R-CC", "L-MLO", "R-MLO"]
    assert torch.equal(handed["L-MLO"], torch.full((1, 3, 12, 10), -1.0))
    assert handed["R-MLO"].std() > 0


def test_it_is_left_out(exam):
    network = Listening()
    scores = scored(exam, network, missing_views="leave_out")
    assert list(network.handed[0]) == ["L-CC", "R-CC", "R-MLO"]
    assert set(scores) == {("L", CLEAN), ("R", CLEAN)}


def test_whole_exams_are_scored_the_same_however_it_is_declared():
    whole = in_memory(1).exams[0]
    conditions = (CLEAN, Condition("lowpass", 4.0), MISSING, SWAP)
    first = scored(whole, Listening(), conditions)
    assert first == scored(whole, Listening(), conditions, missing_views="blank")
    assert first == scored(whole, Listening(), conditions, missing_views="leave_out")


def test_an_exam_without_any_of_its_views_is_refused(exam):
    with pytest.raises(UnusableInput, match=r"got no L-ML, R-ML; add them to the manifest$"):
        scored(exam, Listening(), missing_views="blank", views=("L-ML", "R-ML"))


def test_gradients_see_the_same_images(exam):
    network = Listening()
    classifier = Classifier(network, level="exam", missing_views="blank")
    views = [source.read() for source in exam.views]
    images = [torch.from_numpy(view.pixels.copy()) for view in views]
    found = gradients_of(Inference(classifier, device="cpu"), views, {"L": 1.0})(images)
    assert set(network.handed[0]) == set(classifier.views)
    assert [bool(each.any()) for each in found] == [True, False, False]


def test_a_view_level_classifier_scores_the_others(exam):
    inference = Inference(view_level(), device="cpu")
    both, one = (Sweep(inference=inference).exam(each, {"L": [CLEAN]}) for each in (in_memory(1).exams[0], exam))
    assert len(both) == len(one) == 1
    assert both != one


@pytest.mark.parametrize("level", ["view", "exam"])
def test_no_breast_is_judged_on_a_view_that_it_has_not(exam, level):
    cohort = Cohort(name="two", exams=(exam, in_memory(2).exams[1]))
    network = Listening() if level == "exam" else view_level().network
    needs = Needs(cohort=cohort, classifier=Classifier(network, level=level, missing_views="blank"))
    met = {(b.exam_id, b.side): needs.met(b, "missing_view") for b in cohort.breasts}
    assert met == {("0", "L"): False, ("0", "R"): True, ("1", "L"): True, ("1", "R"): True}
    assert needs.said("missing_view") == "needs two views of a breast; 3 of 4 breasts have them"


def test_views_that_have_no_counterpart_do_not_change_places(exam):
    cohort = Cohort(name="two", exams=(exam, in_memory(2).exams[1]))
    needs = Needs(cohort=cohort, classifier=Classifier(Listening(), level="exam", missing_views="blank"))
    assert [needs.met(breast, "view_swap") for breast in cohort.breasts] == [False, False, True, True]
    assert needs.said("view_swap") == "needs views that can change places; 2 of 4 breasts are in exams with them"


@pytest.mark.parametrize(("level", "met"), [("view", True), ("exam", False)])
def test_a_view_that_the_classifier_does_not_look_at_is_none_that_could_be_withheld(level, met):
    cohort = in_memory(1, positions=("CC", "ML"))
    network = Listening() if level == "exam" else view_level().network
    needs = Needs(cohort=cohort, classifier=Classifier(network, level=level, missing_views="blank"))
    assert [needs.met(breast, "missing_view") for breast in cohort.breasts] == [met, met]


def test_what_an_exam_level_classifier_does_not_look_at_does_not_change_places():
    cohort = in_memory(1, positions=("CC", "ML"))
    needs = Needs(cohort=cohort, classifier=Classifier(Listening(), level="exam", views=("L-CC", "R-ML")))
    assert not needs.met(cohort.breasts[0], "view_swap")

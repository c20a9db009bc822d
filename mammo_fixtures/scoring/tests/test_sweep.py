"""One exam's scores: equal to perturbing and scoring by hand, whatever the level, the batch or the order."""

import math

import numpy as np
import pytest
import torch

from mammo_fixtures import PERTURBATIONS, Classifier, UnusableInput, View, perturb
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Breast, Exam
from mammo_fixtures.perturbations import Shared
from mammo_fixtures.scoring import CLEAN, Condition
from mammo_fixtures.scoring.batches import CPU_BATCH
from mammo_fixtures.scoring.images import UNCHANGED
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.tiny_cohort import PLAN, FourViews, Pattern, exam_level, in_memory, view_level

CONDITIONS = [CLEAN, *(Condition(name, severity) for name, severities in PLAN.items() for severity in severities)]
BOTH = {"L": CONDITIONS, "R": CONDITIONS}


def sweep(classifier, **keywords):
    return Sweep(inference=Inference(classifier, device="cpu"), **keywords)


def image(view, condition, seed=0):
    if condition == CLEAN:
        return torch.tensor(view.pixels)
    return perturb(view, condition.perturbation, condition.severity, seed=seed)


def by_hand(breast, condition, combine, seed=0):
    network = Pattern().requires_grad_(False)
    scores = [float(network(image(view, condition, seed)[None, None])) for view in breast.views]
    return combine(scores)


@pytest.mark.parametrize(("aggregate", "combine"), [("mean", lambda scores: sum(scores) / len(scores)), ("max", max)])
def test_a_breasts_score_is_the_mean_or_the_maximum_over_its_views(aggregate, combine):
    exam = in_memory(1).exams[0]
    given = sweep(view_level(aggregate=aggregate), seed=3).exam(exam, BOTH)
    assert set(given) == {(side, condition) for side in "LR" for condition in CONDITIONS}
    for breast in exam.breasts:
        for condition in CONDITIONS:
            assert given[breast.side, condition] == by_hand(breast, condition, combine, seed=3), condition
    assert len(set(given.values())) == len(given), "every perturbation reaches the network"


def test_only_what_is_wanted_is_scored_and_opened():
    exam = in_memory(1).exams[0]
    opened = []

    def read(source):
        opened.append(source)
        return source.read()

    given = sweep(view_level()).exam(exam, {"R": [CONDITIONS[2]]}, read)
    assert list(given) == [("R", CONDITIONS[2])]
    assert opened == list(exam.breasts[1].views)


@pytest.mark.parametrize("size", [1, 3, 8])
def test_batches_of_any_size_give_the_same_scores(size):
    exam = in_memory(1).exams[0]
    alone = sweep(view_level()).exam(exam, BOTH)
    tiny_cohort.scored.clear()
    assert sweep(view_level(), batch_size=size).exam(exam, BOTH) == alone
    assert max(tiny_cohort.scored) == min(size, len(CONDITIONS))
    assert sum(tiny_cohort.scored) == 4 * len(CONDITIONS)


def test_on_a_cpu_images_are_scored_one_by_one_unless_said():
    tiny_cohort.scored.clear()
    sweep(view_level()).exam(in_memory(1).exams[0], BOTH)
    assert set(tiny_cohort.scored) == {CPU_BATCH}


@pytest.mark.parametrize("size", [0, -1])
def test_an_impossible_batch_size_is_refused(size):
    with pytest.raises(UnusableInput) as caught:
        sweep(view_level(), batch_size=size)
    assert str(caught.value) == f"batch_size must be at least 1, or None to choose one, got {size}"


def test_an_exam_level_network_gets_a_dict_of_views_and_gives_a_dict_of_breasts():
    exam = in_memory(1).exams[0]
    given = sweep(exam_level()).exam(exam, BOTH)
    network, views = FourViews(), {f"{view.side}-{view.position}": view for view in exam.views}
    for condition in CONDITIONS:
        expected = network({name: image(view, condition)[None, None] for name, view in views.items()})
        for side in "LR":
            assert given[side, condition] == float(expected[side].detach()), condition


def test_a_network_that_works_in_place_spoils_nothing():
    class InPlace(FourViews):
        def forward(self, batch):
            for images in batch.values():
                images.sub_(images.mean()).div_(images.std())
            return super().forward(batch)

    class Apart(FourViews):
        def forward(self, batch):
            return super().forward({k: (v - v.mean()) / v.std() for k, v in batch.items()})

    exam = in_memory(1).exams[0]
    before = [view.pixels.copy() for view in exam.views]
    in_place, apart = (sweep(exam_level(network())).exam(exam, BOTH) for network in (InPlace, Apart))
    # Where a buffer lies decides the order of float32 sums; spoilt pixels would differ by far more.
    assert in_place == pytest.approx(apart, abs=1e-6)
    assert all((view.pixels == pixels).all() for view, pixels in zip(exam.views, before, strict=True))


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_view_level_network_may_work_in_place_too(batch_size, channels):
    """Of one image it gets the memory that the next condition fills anew, of the clean view a copy."""

    class InPlace(Pattern):
        def forward(self, batch):
            return super().forward(batch.mul_(0.5).add_(0.1).clone())

    class Apart(Pattern):
        def forward(self, batch):
            return super().forward(batch * 0.5 + 0.1)

    exam = in_memory(1).exams[0]
    twice = dict.fromkeys("LR", (CLEAN, *CONDITIONS, CLEAN))
    scores = [
        Sweep(inference=Inference(view_level(network(), channels=channels), device="cpu"), batch_size=batch_size).exam(
            exam, twice
        )
        for network in (InPlace, Apart)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


@pytest.mark.parametrize("given", ["tensor", "array", "list", "tuple"])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_a_network_may_give_every_answer_in_the_same_memory(given, batch_size):
    """As those do that were made for one buffer, such as TensorRT's and ONNX Runtime's bindings."""

    class SameMemory(Pattern):
        def forward(self, batch):
            memory[: len(batch)] = super().forward(batch)
            answer = memory[: len(batch)]
            return {"tensor": answer, "array": answer.numpy(), "list": list(answer), "tuple": tuple(answer)}[given]

    memory = torch.zeros(2, dtype=torch.float64)
    exam = in_memory(1).exams[0]
    same, apart = (
        sweep(view_level(network()), batch_size=batch_size).exam(exam, BOTH) for network in (SameMemory, Pattern)
    )
    assert same == apart


def test_views_that_the_network_does_not_declare_are_not_opened():
    class LeftOnly(torch.nn.Module):
        def forward(self, batch):
            return {"L": batch["L-CC"].mean(dim=(1, 2, 3))}

    exam = in_memory(1).exams[0]
    opened = []

    def read(source):
        opened.append(f"{source.side}-{source.position}")
        return source.read()

    one = sweep(exam_level(LeftOnly(), views=("L-CC",)))
    assert list(one.exam(exam, {"L": [CLEAN]}, read)) == [("L", CLEAN)]
    assert opened == ["L-CC"]
    with pytest.raises(UnusableInput) as caught:
        one.exam(exam, {"L": [CLEAN], "R": [CLEAN]}, read)
    assert str(caught.value) == (
        "exam 0, R: the network must score both breasts, got a score of L only; give a dict keyed L and R"
    )


def test_a_missing_view_is_named():
    exam = in_memory(1, positions=("CC",)).exams[0]
    with pytest.raises(UnusableInput) as caught:
        sweep(exam_level()).exam(exam, BOTH)
    assert str(caught.value) == (
        "exam 0: the classifier needs the views L-CC, R-CC, L-MLO, R-MLO, got no L-MLO, R-MLO; "
        "add them to the manifest, or declare what it does without: missing_views='blank' or 'leave_out'"
    )


def test_messages_name_the_view_and_the_condition():
    class Narrow(torch.nn.Module):
        def forward(self, batch):
            return torch.where(batch.amin(dim=(1, 2, 3)) < 0, math.nan, 0.5)

    exam = in_memory(1, positions=("CC",)).exams[0]
    with pytest.raises(UnusableInput) as caught:
        sweep(view_level(Narrow())).exam(exam, {"L": [CLEAN], "R": [CLEAN, Condition("gaussian_noise", 0.5)]})
    assert str(caught.value) == (
        "classifier pattern: scores must be finite, got nan for exam 0, R-CC, gaussian_noise 0.5 of full scale; "
        "look at the network's input there"
    )


def test_flags_count_the_views_where_a_severity_is_out_of_the_ordinary():
    coarse = Condition("lowpass", 0.05)  # under 0.28 of the pixel spacing: lets everything through
    flag = PERTURBATIONS["lowpass"].flag(Shared(in_memory(1).exams[0].views[0].read()), coarse.severity)
    assert flag
    one = sweep(view_level())
    for exam in in_memory(2):
        one.exam(exam, {"L": [coarse, *CONDITIONS], "R": [coarse]})
    assert dict(one.flags) == {("lowpass", 0.05, flag): 8}


def test_views_of_different_sizes_share_no_buffer_by_mistake():
    def view(side, shape):
        bright = torch.full(shape, 0.5 if side == "L" else 0.25).numpy()
        return View.from_array(
            bright, pixel_spacing_mm=(1, 1), side=side, position="CC", exam_id="1", intensity_range=(0, 1)
        )

    mean = Classifier(lambda batch: batch.mean(dim=(1, 2, 3)), name="mean")
    breasts = tuple(
        Breast(exam_id="1", side=side, views=(view(side, shape),)) for side, shape in (("L", (9, 7)), ("R", (5, 11)))
    )
    noise = [CLEAN, Condition("lowpass", 2.0), Condition("lowpass", 4.0)]
    given = sweep(mean, batch_size=2).exam(Exam(exam_id="1", breasts=breasts), {"L": noise, "R": noise})
    for (side, _), score in given.items():
        assert score == pytest.approx(0.5 if side == "L" else 0.25, abs=1e-6)


def test_images_of_a_view_are_made_as_one_batch_and_given_without_a_copy(monkeypatch):
    monkeypatch.setattr(torch, "stack", None)  # which would copy
    mean = Classifier(lambda batch: batch.mean(dim=(1, 2, 3)), name="mean")
    conditions = [CLEAN, Condition("lowpass", 2.0), Condition("contrast", 0.9), Condition("gamma_darker", 1.1)]
    exam = in_memory(1).exams[0]
    wanted = {breast.side: conditions for breast in exam.breasts}
    at_once = sweep(mean, batch_size=3).exam(exam, wanted)
    monkeypatch.undo()
    for cell, score in sweep(mean, batch_size=1).exam(exam, wanted).items():
        assert at_once[cell] == pytest.approx(score, abs=1e-7)


def test_a_perturbation_that_leaves_the_pixels_as_they_are_is_flagged():
    flat = View.from_array(
        np.full((24, 16), 0.5),
        pixel_spacing_mm=(0.5, 0.5),
        side="L",
        position="CC",
        intensity_range=(0, 1),
        exam_id="1",
    )
    exam = Exam(exam_id="1", breasts=(Breast(exam_id="1", side="L", views=(flat,)),))
    scoring = sweep(Classifier(lambda batch: batch.mean((1, 2, 3)), score="logit"))
    wanted = [CLEAN, Condition("translation", 2.0), Condition("contrast", 0.9), Condition("quantum_noise", 0.5)]
    scoring.exam(exam, {"L": wanted})
    assert ("translation", 2.0, "the pixels are those of the clean view") in scoring.flags
    textured = in_memory().exams[0]
    scoring.flags.clear()
    scoring.exam(textured, {breast.side: wanted for breast in textured.breasts})
    assert not [flag for flag in scoring.flags if flag[2] == UNCHANGED]
    # 2 mm are four pixels: the control of a movement by whole pixels is the clean view, as it should be.
    scoring.exam(textured, {breast.side: [CLEAN, Condition("translation_control", 2.0)] for breast in textured.breasts})
    assert not [flag for flag in scoring.flags if flag[2] == UNCHANGED]

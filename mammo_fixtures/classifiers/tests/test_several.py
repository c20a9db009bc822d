"""Functions on arrays, ensembles, and rules that make one score of a breast's views."""

import numpy as np
import pytest
import torch

from mammo_fixtures import Classifier, UnusableInput
from mammo_fixtures.classifiers import ensemble, on_arrays
from mammo_fixtures.classifiers.aggregation import aggregated
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference

VIEWS = [torch.full((1, 4, 3), value) for value in (0.25, 0.75)]
FOUR = {name: VIEWS[name[0] == "R"] for name in ("L-CC", "R-CC", "L-MLO", "R-MLO")}


class Gain(torch.nn.Module):
    def __init__(self, gain):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(gain))

    def forward(self, views):
        assert not self.training
        return self.gain * views.mean(dim=(1, 2, 3))


def scores(classifier):
    return Inference(classifier, device="cpu").view_scores(VIEWS, ["one", "two"])


def test_a_function_on_arrays():
    def network(views):
        assert isinstance(views, np.ndarray)
        assert (views.dtype, views.shape, views.flags.c_contiguous) == (np.float32, (2, 1, 4, 3), True)
        means = views.mean(axis=(1, 2, 3))
        views[:] = 0  # its own to change
        return means[:, None]

    assert scores(Classifier(on_arrays(network))) == [0.25, 0.75]
    assert VIEWS[0].mean() == 0.25


def test_a_function_on_arrays_at_exam_level():
    def network(views):
        return {side: views[f"{side}-CC"].mean(axis=(1, 2, 3)) for side in "LR"}

    inference = Inference(Classifier(on_arrays(network), level="exam"), device="cpu")
    assert inference.exam_scores(FOUR, "exam 1") == {"L": 0.25, "R": 0.75}


def test_the_mean_of_members():
    members = [Classifier(Gain(1.0)), Classifier(Gain(0.5)), Classifier(on_arrays(lambda views: [0.0, 0.0]))]
    classifier = ensemble(*members, name="three")
    assert scores(classifier) == [0.125, 0.375]
    assert (classifier.name, classifier.score) == ("three", "probability")


def test_the_mean_at_exam_level():
    def network(views):
        return {name[0]: images.mean(dim=(1, 2, 3)) for name, images in views.items()}

    def black(views):
        return {side: torch.zeros(1, 1) for side in "LR"}

    classifier = ensemble(Classifier(network, level="exam"), Classifier(black, level="exam"))
    assert Inference(classifier, device="cpu").exam_scores(FOUR, "exam 1") == {"L": 0.125, "R": 0.375}
    one_sided = Classifier(lambda views: {"L": torch.zeros(1)}, level="exam")
    with pytest.raises(UnusableInput, match=r"members must score the same breasts, got \[\['L', 'R'\], \['L'\]\]"):
        Inference(ensemble(Classifier(black, level="exam"), one_sided), device="cpu").exam_scores(FOUR, "exam 1")


def test_gradients_pass_through_an_ensemble():
    from mammo_fixtures import View
    from mammo_fixtures.classifiers.gradients import BREAST, gradients_of

    pixels = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
    view = View(pixels=pixels, pixel_spacing_mm=(1, 1), side="L", position="CC")
    inference = Inference(ensemble(Classifier(Gain(1.0)), Classifier(Gain(3.0))), device="cpu")
    (gradient,) = gradients_of(inference, [view], {BREAST: 1.0})([torch.from_numpy(pixels.copy())])
    assert torch.allclose(gradient, torch.full((4, 3), 2 / 12))


def test_an_ensemble_is_known_by_all_of_its_members():
    def known(*gains):
        return fingerprint(ensemble(*(Classifier(Gain(gain)) for gain in gains)))

    assert known(1.0, 0.5) == known(1.0, 0.5) != known(1.0, 0.25)
    assert fingerprint(ensemble(Classifier(Gain(1.0)), Classifier(on_arrays(lambda views: views)))) == ""


def test_members_must_read_the_same():
    with pytest.raises(UnusableInput) as caught:
        ensemble(Classifier(Gain(1.0), name="a"), Classifier(Gain(1.0), name="b", score="logit"))
    assert str(caught.value) == (
        "ensemble: members must declare the same score, got 'probability' of a and 'logit' of b; wrap what differs "
        "into the network"
    )
    with pytest.raises(UnusableInput, match="ensemble mine: it needs at least two members, got 1"):
        ensemble(Classifier(Gain(1.0)), name="mine")
    wide = ensemble(Classifier(Gain(1.0)), Classifier(lambda views: views.mean(dim=(2, 3)).expand(-1, 2)))
    with pytest.raises(UnusableInput, match=r"each member must give one real score a view, got \(2,\), \(2, 2\)"):
        scores(wide)
    turned = ensemble(Classifier(Gain(1.0)), Classifier(lambda views: 1j * views.mean(dim=(1, 2, 3))))
    with pytest.raises(UnusableInput, match=r"one real score a view, got \(2,\), complex numbers \(complex64\)$"):
        scores(turned)


def weighted(scores):
    return 0.25 * scores["CC"] + 0.75 * scores["MLO"]


@pytest.mark.parametrize(("rule", "expected"), [("mean", 0.5), ("max", 0.75), (weighted, 0.625)])
def test_one_score_of_a_breasts_views(rule, expected):
    classifier = Classifier(Gain(1.0), aggregate=rule)
    assert aggregated(classifier, {"CC": 0.25, "MLO": 0.75}, "exam 1, L, clean") == expected


@pytest.mark.parametrize(
    ("rule", "got"),
    [
        (lambda scores: 2, "it gave 2"),
        (lambda scores: float("nan"), "it gave nan"),
        (lambda scores: None, "it gave NoneType"),
        (lambda scores: "0.25", "it gave str"),
        (lambda scores: 0.25 + 0.1j, "it gave complex"),
        (lambda scores: torch.tensor(0.25 + 0.1j), "it gave Tensor"),
        (lambda scores: scores["ML"], "it raised KeyError: 'ML'"),
    ],
)
def test_a_rule_that_gives_no_score(rule, got):
    with pytest.raises(UnusableInput) as caught:
        aggregated(Classifier(Gain(1.0), name="mine", aggregate=rule), {"CC": 0.25}, "exam 1, L, clean")
    assert str(caught.value) == (
        f"classifier mine: the aggregate rule must give a probability in [0, 1], {got} for exam 1, L, clean from "
        "CC 0.25; correct the rule"
    )


def by_worst(scores):
    return max(scores.values())


def by_best(scores):
    return min(scores.values())


def halved(views):
    return 0.5 * views.mean(dim=(1, 2, 3))


def known(network, **declared):
    return fingerprint(Classifier(network, **declared))


def test_a_rule_counts_by_its_source():
    assert (
        known(Gain(1.0), aggregate=by_worst)
        == known(Gain(1.0), aggregate=by_worst)
        != known(Gain(1.0), aggregate=by_best)
    )
    declared = {"fingerprint": "mine"}
    assert known(halved, aggregate=by_worst, **declared) != known(halved, aggregate=by_best, **declared)

    class Rule:
        def __call__(self, scores):
            return 0.5

    assert known(Gain(1.0), aggregate=Rule()) == "", "it may hold anything"

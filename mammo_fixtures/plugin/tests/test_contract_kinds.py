"""What the contract says of scores of another kind than declared, of repeats, batches and modes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mammo_fixtures import Classifier, View
from mammo_fixtures.exams import Breast, Cohort, Exam
from mammo_fixtures.plugin.contract import (
    a_score_does_not_depend_on_its_batch,
    scores_are_of_the_declared_kind,
    the_network_is_in_evaluation_mode,
    the_same_view_gets_the_same_score,
)


def run(precision="fp32", speed=("allocator",)):
    settings = SimpleNamespace(precision=precision, speed=speed, device="cpu", engine="local", seed=0)
    return SimpleNamespace(settings=settings, remarks={})


def table(values):
    return SimpleNamespace(scores=np.array(values, float)[None, :, None], exam_id=np.arange(len(values)).astype(str))


def cohort():
    breasts = tuple(
        Breast(exam_id="7", side=side, views=(View.from_array(
            np.random.default_rng(ord(side)).uniform(0.2, 0.8, (48, 32)), pixel_spacing_mm=(0.5, 0.5), side=side,
            position="CC", intensity_range=(0, 1), exam_id="7"),))
        for side in "LR"
    )  # fmt: skip
    return Cohort(name="made", exams=(Exam(exam_id="7", breasts=breasts),))


def test_logits_that_look_like_probabilities_are_a_note():
    seen = run()
    network = Classifier(lambda batch: batch, score="logit")
    scores_are_of_the_declared_kind(table(np.linspace(0.01, 0.99, 30)), network, seen)
    assert "declared as logits, all 30 scores lie in [0, 1]" in "".join(seen.remarks)
    for values in (np.linspace(-0.1, 0.9, 30), np.linspace(0.1, 0.9, 5), [*np.linspace(0, 1, 30), 1.5]):
        quiet = run()
        scores_are_of_the_declared_kind(table(values), network, quiet)
        assert not quiet.remarks


def test_probabilities_of_a_table_outside_their_range_fail():
    network = Classifier(lambda batch: batch, score="probability")
    with pytest.raises(AssertionError, match=r"probabilities must lie in \[0, 1\], 1 of 30 scores do not"):
        scores_are_of_the_declared_kind(table([*np.linspace(0, 1, 29), 1.5]), network, run())


class Moody(torch.nn.Module):
    """Draws dropout whatever mode it is in."""

    def forward(self, x):
        return torch.nn.functional.dropout(x, 0.5, training=True).mean((1, 2, 3))


class Mates(torch.nn.Module):
    """Standardises by its batch, whatever mode it is in."""

    def forward(self, x):
        return (x - x.mean()).amax((1, 2, 3))


def test_a_score_that_does_not_repeat_is_told_with_its_numbers():
    with pytest.raises(
        AssertionError, match=r"must repeat its score, exam 7, [LR] got \S+ and then \S+ \(tolerance 1e-05\)"
    ):
        the_same_view_gets_the_same_score(cohort(), Classifier(Moody(), score="logit"), run())


def test_a_score_that_depends_on_its_mates_is_told_with_its_numbers():
    with pytest.raises(AssertionError, match=r"exam 7, [LR] got \S+ alone and \S+ in a batch of 3 \(tolerance 1e-05\)"):
        a_score_does_not_depend_on_its_batch(cohort(), Classifier(Mates(), score="logit"), run())


class MatesWhenFaster(Mates):
    """Depends on its batch only as it is run with channels last."""

    def __init__(self):
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.ones(2, 2, 3, 3))

    def forward(self, x):
        return super().forward(x) if not self.kernel.is_contiguous() else x.amax((1, 2, 3))


def test_the_network_is_looked_at_as_the_run_calls_it():
    """Made faster it is other code, and its scores are what the run judges."""
    classifier = Classifier(MatesWhenFaster(), score="logit")
    a_score_does_not_depend_on_its_batch(cohort(), classifier, run())
    with pytest.raises(AssertionError, match=r"must not depend on its batch, exam 7, .* \(tolerance 0\.0001\)"):
        a_score_does_not_depend_on_its_batch(cohort(), classifier, run(speed=("channels_last",)))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_untrained_network_repeats_alone_and_among_others(precision):
    torch.manual_seed(3)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Dropout(0.5),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 1),
    )  # fmt: skip
    network.train()
    classifier = Classifier(network, score="logit")
    the_same_view_gets_the_same_score(cohort(), classifier, run(precision))
    a_score_does_not_depend_on_its_batch(cohort(), classifier, run(precision))
    the_network_is_in_evaluation_mode(classifier, table([0.5]))
    assert not any(module.training for module in network.modules())

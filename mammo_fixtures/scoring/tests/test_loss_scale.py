"""Gradients under a scaled loss: followed where they would underflow, else the same, and plain where they overflow."""

import torch

from mammo_fixtures.classifiers.gradients import BREAST, gradients_of, scaled_gradients_of
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.scoring.tests.tiny_cohort import SHAPE, in_memory, view_level


def through(between):
    """Gradients of minus the sum of what a function makes of an image, plain and scaled, each twice; calls of it."""
    calls = []

    class Network(torch.nn.Module):
        def forward(self, batch):
            calls.append(1)
            return between(batch).sum(dim=(1, 2, 3))

    view = in_memory(1).exams[0].views[0].read()
    inference = Inference(view_level(Network()), device="cpu")
    image = torch.tensor(view.pixels)
    found = []
    for gradients in (gradients_of, scaled_gradients_of):
        follow = gradients(inference, [view], {BREAST: -1.0})
        found.append([follow([image])[0].clone() for _ in range(2)])
    return *found, len(calls)


def test_what_underflows_is_followed_scaled():
    plain, scaled, calls = through(lambda batch: batch * 1e-25 * 1e-25)
    assert not plain[0].any()
    assert (scaled[0] < 0).all()
    assert calls == 4


def test_scaling_rounds_nothing():
    plain, scaled, _ = through(lambda batch: torch.sin(3 * batch) ** 2)
    assert plain[0].unique().numel() > 100
    assert torch.equal(plain[0] * 2.0**64, scaled[0])


def test_a_network_in_half_precision_whose_scaled_gradient_overflows_is_followed_as_it_is():
    plain, scaled, calls = through(lambda batch: (3 * batch.half()).float())
    for each in (plain[0], *scaled):
        assert torch.equal(each, torch.full(SHAPE, -3.0))
    assert calls == 2 + 3, "the second time it is known"


def test_an_undefined_gradient_counts_as_none():
    plain, scaled, _ = through(lambda batch: batch.sqrt())
    for found in (*plain, *scaled):
        assert torch.isfinite(found).all()
        assert (found < 0).any()
        assert (found == 0).any()

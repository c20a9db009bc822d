"""Running a network faster leaves its scores as they are, and says where it cannot."""

import platform

import pytest
import torch
from torch import nn

from mammo_fixtures import Classifier, UnusableInput
from mammo_fixtures.classifiers import memory
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.folding import folded
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.classifiers.speed import DEFAULT_SPEED, SPEEDS, arithmetic, check_speed

IMAGES = [torch.rand(1, 20, 16, generator=torch.Generator().manual_seed(n)) for n in range(3)]


def stirred(module):
    """The module with weights and statistics that are not those of a fresh one."""
    generator = torch.Generator().manual_seed(3)
    for tensor in [*module.parameters(), *module.buffers()]:
        if tensor.is_floating_point():
            tensor.data.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    return module.eval()


class Small(nn.Module):
    """Two pairs to fold, one of them nested; a norm of its own, and a convolution that two norms read."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU())
        self.second, self.norm = nn.Conv2d(3, 3, 3, bias=False), nn.BatchNorm2d(3)
        self.read_twice, self.one, self.other = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        self.called_twice, self.after = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, views):
        maps = self.norm(self.second(self.first(views)))
        both = self.read_twice(maps)
        maps = self.one(both).relu() + self.other(both)
        maps = self.after(self.called_twice(self.called_twice(maps)))
        return maps.mean((1, 2, 3))


def classifier(network=None, **declared):
    return Classifier(network or stirred(Small()), name="small", score="logit", **declared)


def scores(speed, network=None, precision="fp32"):
    inference = Inference(classifier(network), device="cpu", precision=precision, speed=speed)
    return inference.view_scores(IMAGES, "abc")


@pytest.mark.parametrize("speed", [("allocator",), ("channels_last",), ("folded",), ("folded", "channels_last")])
def test_the_scores_stay(speed):
    assert scores(speed) == pytest.approx(scores(()), rel=1e-5)


def test_the_default_changes_no_bit():
    assert scores(DEFAULT_SPEED) == scores(())
    assert arithmetic("fp32", DEFAULT_SPEED) == "fp32"


def test_what_changes_bits_changes_keys():
    assert Inference(classifier(), device="cpu", speed=("channels_last", "folded")).arithmetic == (
        "fp32 channels_last folded"
    )
    assert len({arithmetic("fp32", (name,)) for name in SPEEDS}) == len(SPEEDS)
    assert check_speed(["folded", "allocator", "folded"]) == ("allocator", "folded")


def test_only_pairs_that_nothing_else_reads_are_folded():
    network = stirred(Small())
    kept = folded(network, name="small")
    norms = [name for name, module in kept.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms == ["one", "other", "after"]
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == 5, "the given one is untouched"


def test_fingerprint_and_gradients_see_the_network_as_it_was_given():
    given = classifier()
    before = fingerprint(given)
    inference = Inference(given, device="cpu", speed=("folded",))
    assert inference.classifier.network is given.network
    assert fingerprint(given) == before


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (lambda batch: batch.mean((1, 2, 3)), "speed folded needs a torch.nn.Module written in Python, got function"),
        (nn.Sequential(nn.Conv2d(1, 1, 3)), "has no batch norm right after a convolution that could be folded"),
    ],
)
def test_what_cannot_be_folded_is_said(network, said):
    with pytest.raises(UnusableInput, match=f"^classifier small: {said}.*; leave"):
        scores(("folded",), network)


def test_a_flow_that_depends_on_the_data_is_said():
    class Branching(Small):
        def forward(self, views):
            return super().forward(views) if views.sum() > 0 else views.mean((1, 2, 3))

    with pytest.raises(UnusableInput, match=r"cannot be folded, its flow could not be traced: TraceError: .*leave"):
        scores(("folded",), stirred(Branching()))


def test_a_network_made_faster_that_scores_otherwise_is_refused():
    class ByMode(Small):
        """Its flow depends on something that tracing does not see."""

        def forward(self, views):
            return super().forward(views) + (1.0 if isinstance(views, torch.Tensor) else 2.0)

    with pytest.raises(UnusableInput, match=r"speed folded must leave the scores as they are, they moved by 1; leave"):
        scores(("folded",), stirred(ByMode()))


def test_an_unknown_way_is_refused():
    with pytest.raises(UnusableInput, match=r"^speed must be of allocator, channels_last, folded, compiled, got 'x'$"):
        scores(("x",))


def test_the_network_alone_is_run_in_low_precision():
    seen = []

    class Watched(Small):
        def forward(self, views):
            seen.append((views.dtype, torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled("cpu")))
            return super().forward(views)

    for precision, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        assert scores((), stirred(Watched()), precision) == pytest.approx(scores(()), rel=0.05)
        assert seen[-1] == (torch.float32, dtype, True)
    assert not torch.is_autocast_enabled("cpu"), "and nothing that is computed after it"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_is_kept_with_glibc():
    assert memory.keep_freed_memory()


def test_without_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert not memory.keep_freed_memory()

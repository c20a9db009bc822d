"""What the reference classifier promises: small, finite on anything, trained reproducibly, and able to see."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from mammo_fixtures.classifiers.reference import load
from mammo_fixtures.classifiers.reference_examples import upright
from mammo_fixtures.classifiers.reference_network import ReferenceNetwork, folded
from mammo_fixtures.classifiers.train_reference import Course, train
from mammo_fixtures.exams.phantoms import read_recipe, render_exam
from mammo_fixtures.given import given


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


def test_importing_it_leaves_torch_alone() -> None:
    code = "import sys, mammo_fixtures.classifiers.reference; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_is_small_and_says_what_it_is_for() -> None:
    classifier = load()
    assert sum(p.numel() for p in classifier.network.parameters()) < 100_000  # type: ignore[attr-defined]
    assert given("reference/weights.safetensors").stat().st_size < 2_000_000
    card = given("reference/card.md").read_text(encoding="utf-8")
    assert "no medical device" in card
    assert not classifier.network.training  # type: ignore[attr-defined]
    assert (classifier.level, classifier.score, classifier.pixel_spacing_mm) == ("view", "logit", 0.1)


@pytest.mark.parametrize("shape", [(1, 1), (7, 900), (333, 222), (1024, 768), (2330, 1792)], ids=str)
@pytest.mark.parametrize("content", ["black", "white", "noise"])
def test_it_scores_any_size_and_content(shape: tuple[int, int], content: str) -> None:
    views = torch.zeros(1, 1, *shape)
    if content == "white":
        views += 1
    elif content == "noise":
        views += torch.randn(views.shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        score = load().network(views)
    assert score.shape == (1,)
    assert torch.isfinite(score).all()


def test_a_score_does_not_depend_on_the_batch() -> None:
    views = torch.rand(3, 1, 256, 192, generator=torch.Generator().manual_seed(1))
    network = load().network
    with torch.inference_mode():
        together = network(views)
        alone = torch.cat([network(view[None]) for view in views])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_folding_the_normalisation_changes_no_score() -> None:
    torch.manual_seed(0)
    network = ReferenceNetwork(normalised=True)
    views = torch.rand(4, 1, 256, 192)
    for _ in range(3):
        network(views)
    plain = folded(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in plain.modules())
    with torch.inference_mode():
        torch.testing.assert_close(plain(views), network.eval()(views), rtol=1e-4, atol=1e-3)


def test_training_twice_gives_the_same_weights() -> None:
    """The whole course in small; only its length differs from what made the shipped weights."""
    course = Course(
        exams=5, joining_exams=5, detail_steps=3, detail_batch=4, mass_steps=3, mass_batch=4, learning_rate=1e-3, seed=3
    )
    first, second = (train(read_recipe(), course, workers=1).state_dict() for _ in range(2))
    other = train(read_recipe(), replace(course, seed=4), workers=1).state_dict()
    for name, weights in first.items():
        assert torch.equal(weights, second[name]), name
    assert any(not torch.equal(weights, other[name]) for name, weights in first.items())


def test_it_tells_fresh_phantoms_apart() -> None:
    """Loose bounds on a few exams nobody has seen; the card has the figures of the shipped cohort."""
    recipe = read_recipe().fresh("a small fresh cohort", 40)
    network = load().network
    scores: dict[str, list[float]] = {}
    with torch.inference_mode():
        for number in range(recipe.exams):
            views = render_exam(recipe, number)
            for pair in (views[:2], views[2:]):
                logits = [
                    network(torch.from_numpy(upright(view)[0].astype(np.float32) / 4095)[None, None]).item()
                    for view in pair
                ]
                scores.setdefault(pair[0].breast.subgroup, []).append(sum(logits) / 2)
    healthy = np.array(scores["benign"] + scores["normal"])
    for subgroup in ("microcalcifications", "soft_tissue_lesions"):
        ill = np.array(scores[subgroup])
        auc = np.mean(ill[:, None] > healthy[None, :])
        assert auc > 0.8, subgroup

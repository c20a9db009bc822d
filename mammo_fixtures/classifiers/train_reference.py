"""Train the reference classifier: `python -m mammo_fixtures.classifiers.train_reference FOLDER`.

Each branch learns its own lesion from phantoms of one seed, then four numbers that join them are fitted on phantoms of
another; the shipped cohort is never looked at. The same command gives the same weights on the same machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from mammo_fixtures.classifiers.reference_examples import Examples, gather_examples, upright
from mammo_fixtures.classifiers.reference_network import MASS_GRID, ReferenceNetwork, folded
from mammo_fixtures.exams.phantoms import Recipe, read_recipe, render_exam
from mammo_fixtures.exams.phantoms.plan import CLUSTER, MASS

TRAINING_SEED = "reference training"
JOINING_SEED = "reference joining"
DETAIL_WINDOW = 16
"""Cells a side, of 0.8 mm, that the detail branch is shown at once."""
STRONGEST_NOISE = 0.04
"""Deviation of the strongest noise added to pixels; averages over n × n pixels get an nth of it."""
MASS_WINDOW = 32
"""Cells a side, of 1.6 mm, that the mass branch is shown at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How long and on how much the classifier is trained."""

    exams: int = 600
    joining_exams: int = 120
    detail_steps: int = 4500
    detail_batch: int = 32
    mass_steps: int = 4500
    mass_batch: int = 16
    learning_rate: float = 3e-3
    seed: int = 1


def train(recipe: Recipe, course: Course, workers: int = 2) -> ReferenceNetwork:
    """A trained network; recipe and course decide its weights."""
    # sums over several threads end differently each time
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(course.seed)
    examples = gather_examples(recipe.fresh(TRAINING_SEED, course.exams), range(course.exams), workers)
    network = ReferenceNetwork(normalised=True)
    full_scale = float(2**recipe.bits_stored - 1)
    train_detail(network, examples, course, full_scale)
    train_mass(network, examples, course)
    network = folded(network)
    join(network, recipe.fresh(JOINING_SEED, course.joining_exams))
    return network


def train_detail(network: ReferenceNetwork, examples: Examples, course: Course, full_scale: float) -> None:
    """Teach the detail branch which cells lie in a cluster."""
    # numpy takes them out of the whole: torch 2.6 cannot index uint16
    crops, cells = examples.crops, torch.from_numpy(examples.crop_cells)
    random = torch.Generator().manual_seed(course.seed)
    chosen = _halves(cells.flatten(1).any(1), course.detail_steps, course.detail_batch, random)
    windows = (_window(torch.from_numpy(crops[i.numpy()]), cells[i], DETAIL_WINDOW, random) for i in chosen)
    batches = ((crop.float() / full_scale, cell.float()) for crop, cell in windows)
    _train_branch(network.detail, batches, course, course.detail_steps, STRONGEST_NOISE, random)


def train_mass(network: ReferenceNetwork, examples: Examples, course: Course) -> None:
    """Teach the mass branch which cells lie in an irregular mass."""
    views, cells = torch.from_numpy(examples.coarse_views), torch.from_numpy(examples.coarse_cells)
    random = torch.Generator().manual_seed(course.seed)
    chosen = _halves(cells.flatten(1).any(1), course.mass_steps, course.mass_batch, random)
    windows = (_window(views[i], cells[i], MASS_WINDOW, random) for i in chosen)
    batches = ((view, cell.float()) for view, cell in windows)
    _train_branch(network.mass, batches, course, course.mass_steps, STRONGEST_NOISE / MASS_GRID, random)


def join(network: ReferenceNetwork, recipe: Recipe) -> None:
    """Fit slope and offset of each branch: the log odds that a breast holds the branch's lesion, not none."""
    evidence, findings = evidence_of(network, recipe)
    benign = torch.tensor([finding not in (CLUSTER, MASS) for finding in findings])
    fitted = []
    for branch, lesion in enumerate((CLUSTER, MASS)):
        ill = torch.tensor([finding == lesion for finding in findings])
        fitted.append(_logistic(evidence[ill | benign, :, branch].mean(1), ill[ill | benign].double()))
    network.joint.data.copy_(torch.cat(fitted))


def evidence_of(network: ReferenceNetwork, recipe: Recipe) -> tuple[Tensor, list[str]]:
    """Evidence (breasts, views, branches) and finding of every breast of a recipe's exams."""
    full_scale = float(2**recipe.bits_stored - 1)
    evidence, findings = [], []
    with torch.no_grad():
        for number in range(recipe.exams):
            for view in render_exam(recipe, number):
                pixels = torch.from_numpy(upright(view)[0].astype(np.float32)) / full_scale
                evidence.append(torch.cat(network.evidence(pixels[None, None])))
                findings.append(view.breast.finding)
    return torch.stack(evidence).reshape(-1, 2, 2), findings[::2]


def _logistic(evidence: Tensor, ill: Tensor) -> Tensor:
    # in double precision and slightly drawn to 0, so that it ends in one place whatever the data
    fit = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([fit], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        logits = fit[0] * evidence.double() + fit[1]
        value = functional.binary_cross_entropy_with_logits(logits, ill) + 1e-3 * fit[0] ** 2
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return fit.detach().float()


def _halves(positive: Tensor, steps: int, batch: int, random: torch.Generator) -> Iterator[Tensor]:
    # half of every batch holds a lesion
    pools = (positive.nonzero().flatten(), (~positive).nonzero().flatten())
    for _ in range(steps):
        draws = [pool[torch.randint(len(pool), (batch // 2,), generator=random)] for pool in pools]
        yield torch.cat(draws)


def _window(views: Tensor, cells: Tensor, cell_count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    # the same part of each view of a batch, so that a lesion may lie anywhere in it
    cell = views.shape[1] // cells.shape[1]
    row, column = (int(torch.randint(n - cell_count + 1, (), generator=random)) for n in cells.shape[1:])
    part = views[:, row * cell : (row + cell_count) * cell, column * cell : (column + cell_count) * cell]
    return part.unsqueeze(1), cells[:, row : row + cell_count, column : column + cell_count].unsqueeze(1)


def _train_branch(
    branch: nn.Module,
    batches: Iterator[tuple[Tensor, Tensor]],
    course: Course,
    steps: int,
    noise: float,
    random: torch.Generator,
) -> None:
    optimiser = torch.optim.AdamW(branch.parameters(), lr=course.learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, course.learning_rate, total_steps=steps, pct_start=0.1)
    branch.train()
    for step, (views, cells) in enumerate(batches):
        views, cells = vary(views, cells, noise, random)
        suspicion = branch(views)
        by_cell = functional.binary_cross_entropy_with_logits(suspicion, cells)
        whole = torch.logsumexp(suspicion.flatten(1), 1)
        by_view = functional.binary_cross_entropy_with_logits(whole, cells.flatten(1).amax(1))
        loss = 4 * by_cell + by_view
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(branch.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 250 == 249:
            print(f"step {step + 1} of {steps}: {by_cell.item():.4f} by cell, {by_view.item():.3f} by view", flush=True)
    branch.eval()


def vary(views: Tensor, cells: Tensor, noise: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mirror, turn a little, change contrast, brightness and noise: what a classifier should bear."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(views), 1, 1, 1, generator=random)

    if torch.rand((), generator=random) < 0.5:
        views, cells = views.flip(2), cells.flip(2)
    if torch.rand((), generator=random) < 0.5:
        turn = torch.deg2rad(uniform(-15, 15)).flatten()
        zero = torch.zeros_like(turn)
        aspect = views.shape[2] / views.shape[3]
        rows = (turn.cos(), -turn.sin() * aspect, zero, turn.sin() / aspect, turn.cos(), zero)
        matrix = torch.stack(rows, dim=-1).reshape(-1, 2, 3)
        views = _turned(views, matrix, "border")
        cells = (_turned(cells, matrix, "zeros") > 0.5).float()
    breast = views > 0.02
    mean = (views * breast).sum((2, 3), keepdim=True) / breast.sum((2, 3), keepdim=True).clamp(min=1)
    changed = (views - mean) * uniform(0.7, 1.1) + mean + uniform(-0.05, 0.05)
    views = torch.where(breast, changed, views)
    # seldom strong noise: it shall hide grains, not look like them
    deviation = noise * uniform(0, 1) ** 3
    return views + deviation * torch.randn(views.shape, generator=random), cells


def _turned(images: Tensor, matrix: Tensor, beyond: str) -> Tensor:
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode=beyond, align_corners=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where weights.safetensors is written")
    folder = parser.parse_args().folder
    start = time.perf_counter()
    network = train(read_recipe(), Course())
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.contiguous() for name, tensor in network.state_dict().items()}, folder / "weights.safetensors"
    )
    print(f"trained in {(time.perf_counter() - start) / 60:.1f} minutes; joint: {network.joint.tolist()}")


if __name__ == "__main__":
    main()

"""The same seed gives the same pixels on a GPU, and what follows a gradient the same scores but for its steps.

`pytest mammo_fixtures/perturbations/tests/test_devices.py` where a CUDA device is visible. Without one the checks run
on the CPU twice, which shows that they run, and no more.
"""

import numpy as np
import pytest
import torch

from mammo_fixtures import PERTURBATIONS, View, curve, perturb, score
from mammo_fixtures.perturbations import Shared, apply
from mammo_fixtures.perturbations.resampling_control import CONTROLS
from mammo_fixtures.scoring import CLEAN, Condition
from mammo_fixtures.scoring.tests.tiny_cohort import in_memory, view_level

AGREE = 1e-5
"""Of full scale: float32 transforms on two devices."""
ROUND = ("bit_depth", "jpeg2000")
"""They round, and a hair's difference before is a step after."""
STEPS = 1e-4
"""Share of pixels that may differ by a step there."""
LOSS, AUC = 0.01, 0.01
"""Relative difference of the mean loss, and difference of the AUC, where a gradient's signs are followed."""
GRADIENT = [record for record in PERTURBATIONS if record.needs == "gradient"]
PIXELS = [record for record in PERTURBATIONS if record.needs in ("", "region")]
NOT_BY_STEPS = [record for record in CONTROLS if record.name != "elastic_control"]
"""The inverse of an elastic field is found step by step, until it is close."""

other = pytest.mark.parametrize(
    "device",
    ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"))],
)


def breast(shape):
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.16 + column**2 / 0.64 < 1
    pixels = np.where(inside, 0.4 + 0.3 * np.random.default_rng(3).random(shape), 0).astype(np.float32)
    return View.from_array(
        pixels, pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", exam_id="17", intensity_range=(0, 1),
        region=(row - 0.5) ** 2 + (column - 0.3) ** 2 < 0.01,
    )  # fmt: skip


@other
@pytest.mark.parametrize("record", PIXELS, ids=lambda record: record.name)
@pytest.mark.parametrize("shape", [(1024, 768), (333, 250)])
def test_pixels_agree(record, shape, device):
    view = breast(shape)
    here = perturb(view, record.name, record.severities)
    there = perturb(view, record.name, record.severities, device=device).cpu()
    allowed = STEPS if record.name in ROUND else 0.0
    for severity, difference in zip(record.severities, (here - there).abs(), strict=True):
        assert (difference > AGREE).float().mean() <= allowed, severity


@other
@pytest.mark.parametrize("record", GRADIENT, ids=lambda record: record.name)
def test_scores_that_follow_a_gradient_agree(record, device):
    severity = record.severities[-1]
    tables = [score(in_memory(24), view_level(), {record.name: (severity,)}, device=each) for each in ("cpu", device)]
    condition = Condition(record.name, severity)
    # The loss is the score moved toward the wrong side.
    moved = [
        np.nanmean(np.where(table.malignant == 1, -1, 1)[:, None] * (table.at(condition) - table.at(CLEAN)))
        for table in tables
    ]
    assert moved[0] > 0
    assert moved[1] == pytest.approx(moved[0], rel=LOSS)
    aucs = [curve(table, record.name, metric="auc").at(severity).value for table in tables]
    assert aucs[1] == pytest.approx(aucs[0], abs=AUC)


@pytest.mark.parametrize("record", [*PIXELS, *NOT_BY_STEPS], ids=lambda record: record.name)
def test_a_device_is_asked_for_nothing_while_images_are_made(record):
    """One without values: what must be waited for on a GPU, and what lies on another device, is an error there."""
    shared = Shared(breast((256, 384)), device="meta")
    for severity in record.severities:
        image = apply(record, shared, severity, torch.empty(shared.view.shape, device="meta"))
        assert image.device.type == "meta"
        assert image.shape == shared.view.shape


@pytest.mark.parametrize("name", ["fgsm", "pgd_linf"])
def test_nor_while_its_gradients_are_followed(name):
    shared = Shared(breast((256, 384)), device="meta")
    shared.ascent.gradients = lambda images: [torch.empty_like(image) for image in images]
    record = PERTURBATIONS[name]
    image = apply(record, shared, record.severities[0], torch.empty(shared.view.shape, device="meta"))
    assert image.device.type == "meta"


def test_every_record_is_among_them_but_those_that_change_no_pixel():
    others = {record.name for record in PERTURBATIONS} - {record.name for record in (*PIXELS, *GRADIENT)}
    assert others == {"missing_view", "view_swap"}

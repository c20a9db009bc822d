"""The same seed gives the same pixels on a GPU."""

import numpy as np
import pytest
import torch

from mammo_fixtures import PERTURBATIONS, View, perturb

AGREE = 1e-5
"""Of full scale: float32 transforms on two devices."""
EXCEPTIONS = 1e-4
"""Share of pixels that may differ by a rounding step, where a perturbation rounds."""


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is visible")
@pytest.mark.parametrize("record", PERTURBATIONS, ids=lambda record: record.name)
@pytest.mark.parametrize("shape", [(1024, 768), (333, 250)])
def test_cpu_and_gpu_pixels_agree(record, shape):
    if record.needs in ("exam", "gradient"):
        pytest.skip("needs an exam or a classifier's gradient: scores are compared, not pixels")
    row, column = np.indices(shape) / np.array(shape)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.16 + column**2 / 0.64 < 1
    pixels = np.where(inside, 0.4 + 0.3 * np.random.default_rng(3).random(shape), 0).astype(np.float32)
    view = View.from_array(
        pixels, pixel_spacing_mm=(0.1, 0.1), side="L", position="CC", exam_id="17", intensity_range=(0, 1),
        region=(row - 0.5) ** 2 + (column - 0.3) ** 2 < 0.01,
    )  # fmt: skip
    cpu = perturb(view, record.name, record.severities)
    gpu = perturb(view, record.name, record.severities, device="cuda").cpu()
    assert ((cpu - gpu).abs() > AGREE).float().mean() <= EXCEPTIONS

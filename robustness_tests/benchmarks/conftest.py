"""What benchmarks share: one full-size view, and a timer that waits for the device and says what was measured."""

import os
import platform

import numpy as np
import pytest

from mammo_fixtures import View

SHAPE = (2944, 1920)
SPACING_MM = (0.07, 0.07)


def pytest_collection_modifyitems(items):
    for item in items:
        if "robustness_tests/benchmarks" in item.path.as_posix():
            item.add_marker(pytest.mark.benchmark)


@pytest.fixture(scope="session")
def full_size_view():
    """A half disc of textured tissue at the left edge, background exactly zero, 12 bits as floats."""
    row, column = (axis / length for axis, length in zip(np.ogrid[: SHAPE[0], : SHAPE[1]], SHAPE, strict=True))
    depth = 1 - (row - 0.5) ** 2 / 0.2 - column**2 / 0.6
    texture = np.random.default_rng(0).normal(0, 60, SHAPE) + 300 * np.sin(40 * row + 7 * column)
    stored = np.where(depth > 0, np.clip(2000 + 900 * depth + texture, 1, 4095), 0).astype(np.uint16)
    return View.from_array(
        stored, pixel_spacing_mm=SPACING_MM, side="L", position="CC", exam_id="1", intensity_range=(0, 4095)
    )


@pytest.fixture
def timed(benchmark, mammo_run):
    """Times a function on the device of the run, which is waited for inside the timed call."""
    import torch

    from mammo_fixtures.classifiers.inference import resolve_device

    settings = mammo_run.settings
    device = resolve_device(settings.device)

    def run(function, *, image_size=SHAPE, batch=1, rounds=5, **measured):
        def waited():
            result = function()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            return result

        benchmark.extra_info.update(
            machine=f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
            device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            precision=settings.precision,
            batch=batch,
            image_size=list(image_size),
            torch=torch.__version__,
            **measured,
        )
        return benchmark.pedantic(waited, rounds=rounds, warmup_rounds=1)

    run.device = device
    return run

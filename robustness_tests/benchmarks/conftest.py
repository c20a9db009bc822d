"""What benchmarks share: one full-size view, and a timer that waits for the device and says what was measured."""

import os
import platform
import sys
from pathlib import Path

import pytest

from mammo_fixtures import View

# Modules beside this file that no test is: pytest imports with importlib and leaves the path alone.
sys.path.insert(0, str(Path(__file__).parent))

from full_size import SHAPE, full_size_pixels

SPACING_MM = (0.07, 0.07)


def pytest_collection_modifyitems(items):
    for item in items:
        if "robustness_tests/benchmarks" in item.path.as_posix():
            item.add_marker(pytest.mark.benchmark)


@pytest.fixture(scope="session")
def full_size_view():
    """A half disc of textured tissue at the left edge, background exactly zero, 12 bits as floats."""
    return View.from_array(
        full_size_pixels(), pixel_spacing_mm=SPACING_MM, side="L", position="CC", exam_id="1", intensity_range=(0, 4095)
    )


@pytest.fixture
def timed(benchmark, mammo_run):
    """Times a function on the device of the run, which is waited for inside the timed call."""
    import torch

    from mammo_fixtures.classifiers.inference import resolve_device

    settings = mammo_run.settings
    device = resolve_device(settings.device)

    def run(function, *, image_size=SHAPE, batch=1, rounds=5, warmup=1, **measured):
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
        return benchmark.pedantic(waited, rounds=rounds, warmup_rounds=warmup)

    run.device, run.benchmark = device, benchmark
    return run

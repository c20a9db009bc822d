"""Peak memory of a pass of the whole catalogue over one full-size view, above the imports."""

import subprocess
import sys

import pytest

MOST_MB = 1000

PASS = """
import sys
import numpy as np
import torch, scipy.fft, scipy.ndimage, scipy.special, gdcm
from mammo_fixtures import PERTURBATIONS, UnusableInput, View
from mammo_fixtures.perturbations import Shared, apply

def peak_mb():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

torch.fft.rfft2(torch.zeros(8, 8))
imports = peak_mb()
shape = (2944, 1920)
row, column = (axis / length for axis, length in zip(np.ogrid[: shape[0], : shape[1]], shape))
tissue = np.random.default_rng(0).normal(0.5, 0.02, shape).astype(np.float32)
tissue *= (row - 0.5) ** 2 / 0.2 + column**2 / 0.6 < 1
view = View(pixels=tissue, pixel_spacing_mm=(0.07, 0.07), side="L", position="CC", exam_id="1")
shared, buffer = Shared(view), torch.empty(shape)
for record in PERTURBATIONS:
    try:
        for severity in record.severities:
            apply(record, shared, severity, buffer)
    except UnusableInput:
        continue
    print(record.name, round(peak_mb() - imports), file=sys.stderr)
print(round(peak_mb() - imports))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_whole_catalogue(benchmark):
    def run():
        done = subprocess.run([sys.executable, "-c", PASS], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    peak = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["peak_mb_above_imports"] = peak
    assert peak < MOST_MB

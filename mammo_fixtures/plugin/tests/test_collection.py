"""Collecting reads tolerances and nothing else, however many claims there are and whatever lies beside them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CLAIMS = 10_000
ENTRY = """
[[tolerance]]
claim = "holds"
perturbation = "lowpass"
severities = [{severities}]
subgroup = "all"
metric = "auc"
margin = 0.05
reason = "one of many"
"""


def test_ten_thousand_claims_of_this_project_without_torch(tmp_path):
    """The project's own folder, benchmarks included: how long it takes is benchmarks/test_start_up.py's to say."""
    (tmp_path / "torch.py").write_text("raise ImportError('torch was imported')")
    wavelengths = [f"{0.2 + number / 1e4:.4f}" for number in range(CLAIMS)]
    tolerances = tmp_path / "tolerances.toml"
    tolerances.write_text(
        "".join(ENTRY.format(severities=", ".join(wavelengths[start::10])) for start in range(10)), encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider", f"--mammo-tolerances={tolerances}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    collected = [line for line in done.stdout.splitlines() if line.startswith("robustness_tests/test_holds.py::")]
    assert len(set(collected)) == CLAIMS
    assert not any("benchmarks" in line for line in done.stdout.splitlines())


def test_another_projects_tests_are_not_disturbed(pytester):
    pytester.makepyfile(
        "def test_nothing_of_ours_is_here(request):\n    assert not hasattr(request.config.option, 'mammo_seed')\n"
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)

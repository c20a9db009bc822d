"""From typing the command to the first test: collecting this project's claims, and ten thousand others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_S = {"this_project": 3.0, "ten_thousand": 10.0}
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


@pytest.mark.parametrize("claims", MOST_S)
def test_collecting(claims, timed, tmp_path):
    command = [sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider"]
    if claims == "ten_thousand":
        wavelengths = [f"{0.2 + number / 1e4:.4f}" for number in range(10_000)]
        tolerances = tmp_path / "tolerances.toml"
        tolerances.write_text("".join(ENTRY.format(severities=", ".join(wavelengths[i::10])) for i in range(10)))
        command.append(f"--mammo-tolerances={tolerances}")

    def collect():
        before = os.times()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        after = os.times()
        return done.stdout, after.children_user + after.children_system - before.children_user - before.children_system

    listed, cpu_s = timed(collect, image_size=(), rounds=3)
    assert sum("::" in line for line in listed.splitlines()) >= (10_000 if claims == "ten_thousand" else 10)
    timed.benchmark.extra_info["cpu_s"] = round(cpu_s, 2)
    # One process with one thread: on a machine that has nothing else to do, this is the time that passes.
    assert cpu_s <= MOST_S[claims]

"""The wheel, built from this checkout, and an environment that has it installed."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def run(*line, cwd):
    """A command as a user of the environment gives it, without this test's own settings of Python and pytest."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    return subprocess.run(line, cwd=cwd, env=clean, capture_output=True, text=True, timeout=300, check=False)


def build(folder, of=ROOT):
    """The wheel of a checkout in a new folder."""
    pytest.importorskip("hatchling", reason="building the wheel needs hatchling: pip install -e .[dev]")
    line = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    folder.mkdir()
    done = run(sys.executable, "-c", line, str(folder), cwd=of)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


def install(wheel, folder):
    """Python of an environment with the wheel in it; what the wheel needs is lent by this one."""
    venv.create(folder, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    lent = Path(pytest.__file__).resolve().parents[1]
    (site / "lent.pth").write_text(f"{lent}\n")
    return str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")

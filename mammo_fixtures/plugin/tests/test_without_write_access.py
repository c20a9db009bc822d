"""The gate as a user who may write neither to the checkout nor to what is installed: it works, or says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mammo_fixtures.plugin.tests.gate_folder import CLASSIFIER, CONFTEST, TOLERANCES, write_exams

ROOT = Path(__file__).resolve().parents[3]
CLAIMS = ("__init__.py", "test_holds.py", "test_responds.py", "test_curve.py", "test_contract.py", "test_clean.py")
NOTHING = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
"""Root without its right to overrule modes of files: what is 0555 cannot be written, not even by its owner."""


def without_rights(line, cwd, home):
    """Run a command that may write to its home only."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(cwd / "suite")}
    environment |= {"TMPDIR": str(home), "OMP_NUM_THREADS": "1"}
    prefix = NOTHING if os.geteuid() == 0 else []
    return subprocess.run(
        [*prefix, *line], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def lock(folder, *, opened=False):
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o755 if opened else 0o555) if path.is_dir() else (0o644 if opened else 0o444))


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def checkout(tmp_path):
    """A project, and the suite beside it, that may be read and not written."""
    if not hasattr(os, "geteuid") or (os.geteuid() == 0 and shutil.which(NOTHING[0]) is None):
        pytest.skip("root gives its rights up with setpriv (util-linux), which is not here")
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("mammo_fixtures", "fixtures"):
        shutil.copytree(ROOT / name, folder / "suite" / name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "release.py").write_text(CLASSIFIER.replace('open("loads.txt", "a")', 'open(os.devnull, "a")'))
    (folder / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ntestpaths = ["robustness_tests"]\naddopts = "--import-mode=importlib"\n'
        'mammo_classifier = "release:load"\nmammo_exams = "exams/site.csv"\n'
    )
    (folder / "robustness_tests").mkdir()
    for name in CLAIMS:
        shutil.copy(ROOT / "robustness_tests" / name, folder / "robustness_tests")
    (folder / "robustness_tests" / "tolerances.toml").write_text(TOLERANCES)
    write_exams(folder / "exams")
    lock(folder)
    yield folder
    lock(folder, opened=True)


def gate(checkout, home, *more):
    return without_rights([sys.executable, "-m", "pytest", "-k", "lowpass", *more], checkout, home)


def test_the_store_that_cannot_be_written_is_one_line_with_its_remedy(checkout, home):
    done = gate(checkout, home)
    said = done.stdout + done.stderr
    assert done.returncode not in (0, None)
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    assert "give another file on a local disk with --mammo-store=, or none" in said


@pytest.mark.parametrize("store", ["none", "HOME/scores.sqlite"])
def test_with_a_store_elsewhere_the_gate_works(checkout, home, store):
    before = sorted(path for path in checkout.rglob("*"))
    done = gate(checkout, home, f"--mammo-store={store.replace('HOME', str(home))}", f"--mammo-report={home / 'out'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "claims: 2 held" in done.stdout
    assert (home / "out" / "evidence.zip").exists()
    assert sorted(path for path in checkout.rglob("*")) == before


def test_a_report_and_snapshots_that_cannot_be_written_are_told_in_one_line(checkout, home):
    elsewhere = "--mammo-store=none"
    for told, more in (
        ("--mammo-report needs a folder that can be written, got ", ("--mammo-report=out",)),
        ("--mammo-snapshots needs a folder that can be written, got ", ("--mammo-snapshots=a/b", "--snapshot-update")),
    ):
        done = gate(checkout, home, elsewhere, *more)
        said = done.stdout + done.stderr
        assert done.returncode not in (0, None), said
        assert done.stdout == "", "before anything is scored"
        assert done.stderr.startswith(f"ERROR: {told}")
        assert done.stderr.strip().count("\n") == 0


def test_phantoms_are_made_in_the_users_own_cache_or_refused_in_one_line(checkout, home):
    where = "import mammo_fixtures; print(mammo_fixtures.__file__)"
    assert str(checkout) in without_rights([sys.executable, "-c", where], checkout, home).stdout
    make = "from mammo_fixtures.exams.phantoms import phantom_cohort; print(phantom_cohort())"
    home.chmod(0o555)
    done = without_rights([sys.executable, "-c", make], checkout, home)
    home.chmod(0o700)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode != 0
    assert "MAMMO_CACHE" in last or "XDG_CACHE_HOME" in last, last

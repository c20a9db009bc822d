"""The wheel: what is in it, that it can be built again, and that it works where there is no checkout."""

import hashlib
import os
import shutil
import zipfile

import pytest

from mammo_fixtures.plugin.tests.gate_folder import CLASSIFIER, TOLERANCES, write_exams
from mammo_fixtures.plugin.tests.installed import ROOT, build, run


@pytest.fixture
def project(tmp_path):
    write_exams(tmp_path / "exams")
    (tmp_path / "release.py").write_text(CLASSIFIER)
    (tmp_path / "mine.toml").write_text(TOLERANCES)
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    pass\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "--strict-config -p no:cacheprovider"\nfilterwarnings = ["error"]\n'
        'mammo_exams = "exams/site.csv"\nmammo_tolerances = "mine.toml"\nmammo_snapshots = "snapshots"\n'
    )
    return tmp_path


def test_it_carries_the_claims_and_the_given_files_and_no_self_test(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "mammo_fixtures/fixtures/reference/weights.safetensors",
        "robustness_tests/tolerances.toml",
        "robustness_tests/suite.ini",
        "robustness_tests/__main__.py",
    } <= names
    assert any(name.startswith("robustness_tests/__snapshots__/test_curve/") for name in names)
    assert not [name for name in names if "/tests/" in name or "/benchmarks/" in name]
    top = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert top == {"mammo_fixtures", "robustness_tests"}, "another distribution has the import name `fixtures`"


def test_building_it_again_gives_the_same_bytes(wheel, tmp_path):
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (wheel, build(tmp_path / "second"))}
    assert len(digests) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_another_checkout_at_another_time_gives_the_same_bytes(wheel, tmp_path):
    before = os.umask(0o077)
    try:
        other = tmp_path / "other"
        other.mkdir()
        for name in ("mammo_fixtures", "robustness_tests", "fixtures"):
            shutil.copytree(ROOT / name, other / name, ignore=shutil.ignore_patterns("__pycache__", ".mammo"))
        for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
            shutil.copyfile(ROOT / name, other / name)
        for path in other.rglob("*"):
            os.utime(path, (10**9, 10**9))
            if path.is_file():
                path.chmod(0o600)
        again = build(tmp_path / "second", of=other)
    finally:
        os.umask(before)
    assert again.read_bytes() == wheel.read_bytes()


def test_the_gate_runs_from_the_wheel_with_a_classifier_of_the_project(python, project):
    arguments = ("-m", "robustness_tests", "-k", "lowpass", "--mammo-classifier=release:load", "-n", "2")
    stored = run(python, *arguments, "--snapshot-update", cwd=project)
    assert stored.returncode == 0, stored.stdout + stored.stderr
    assert (
        "site-packages"
        in run(python, "-c", "import mammo_fixtures; print(mammo_fixtures.__file__)", cwd=project).stdout
    )
    again = run(python, *arguments, cwd=project)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "claims: 2 held" in again.stdout
    assert "warning" not in again.stdout
    assert len(list((project / "snapshots" / "test_curve").iterdir())) == 3


def test_the_shipped_gate_is_collected_from_the_wheel(python, tmp_path):
    done = run(python, "-m", "robustness_tests", "--co", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_holds[lowpass-0.50mm-soft_tissue_lesions-auc]" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) in (
        [],
        [".mammo"],
        [".benchmarks"],
        [".benchmarks", ".mammo"],
    )


def test_snapshots_are_never_written_into_the_installed_package(python, tmp_path):
    done = run(python, "-m", "robustness_tests", "--snapshot-update", "--co", "-q", cwd=tmp_path)
    assert done.returncode == 4
    assert "--snapshot-update writes no snapshot into an installed package" in done.stderr


def test_a_project_that_has_it_installed_tests_as_before(python, project):
    done = run(python, "-m", "pytest", "-q", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    line = "import sys, pytest; pytest.main(['-q', '--co']); print('torch' in sys.modules)"
    assert run(python, "-c", line, cwd=project).stdout.split()[-1] == "False"

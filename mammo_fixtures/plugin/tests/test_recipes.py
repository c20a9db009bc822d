"""The CI recipes: the shell steps of the GitHub recipe are run in order, in a project as docs/ci.md describes it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from mammo_fixtures.plugin.tests.gate_folder import CLASSIFIER, TOLERANCES, write_exams

ROOT = Path(__file__).resolve().parents[3]
CI = ROOT / "docs" / "ci"
GATE = re.compile(r"python -m robustness_tests .*--mammo-report=\S+ +(?:\\\s+)?--junitxml=\S+")


def steps():
    yaml = pytest.importorskip("yaml", reason="reading the recipe needs PyYAML: pip install -e .[dev]")
    (job,) = yaml.safe_load((CI / "github.yml").read_text())["jobs"].values()
    return job["steps"]


@pytest.fixture
def project(tmp_path):
    write_exams(tmp_path / "exams")
    (tmp_path / "release.py").write_text(CLASSIFIER)
    (tmp_path / "mammo").mkdir()
    (tmp_path / "mammo" / "tolerances.toml").write_text(TOLERANCES)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\nmammo_classifier = "release:load"\nmammo_exams = "exams/site.csv"\n'
        'mammo_tolerances = "mammo/tolerances.toml"\n'
    )
    return tmp_path


def run(step, project, environment):
    """One step as a runner does it: bash that stops at the first failure, and files that carry to the next steps."""
    files = {name: str(project / name.lower()) for name in ("GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
    Path(files["GITHUB_ENV"]).touch()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=project,
        env=environment | files,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{step['name']}: {done.stdout}{done.stderr}"
    environment |= dict(line.split("=", 1) for line in Path(files["GITHUB_ENV"]).read_text().splitlines())
    return done.stdout


def test_the_shell_steps_of_the_github_recipe_run_in_order(python, project):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    # The wheel is installed, so the first step finds what it asks for; nothing is fetched.
    environment |= {"PATH": f"{Path(python).parent}{os.pathsep}{environment['PATH']}", "PIP_NO_INDEX": "1"}
    shell = [step for step in steps() if "run" in step]
    said = {step["name"]: run(step, project, environment) for step in shell if "schedule" not in step.get("if", "")}
    assert list(said) == ["Install", "Find the baseline", "Core gate", "Summary"]
    assert "already satisfied: mammo-robustness" in said["Install"]
    assert "claims: 3 held, 0 broken, 0 inconclusive, 0 not run; clean AUC: 3 held" in said["Core gate"]
    assert "lowpass" in (project / "github_step_summary").read_text()
    assert (project / "report" / "junit.xml").exists()
    assert (project / ".mammo" / "scores.sqlite").exists(), "what the recipe caches"

    (project / "mammo" / "baseline.csv.gz").write_bytes((project / "report" / "scores.csv.gz").read_bytes())
    again = {step["name"]: run(step, project, environment) for step in shell[1:3]}
    assert "not_worse" in again["Core gate"]
    assert "claims: 7 held" in again["Core gate"]


def test_every_recipe_runs_core_and_extended_and_keeps_both_reports():
    for recipe in sorted(CI.iterdir()):
        gates = GATE.findall(recipe.read_text())
        assert sum("-m extended" in gate for gate in gates) == 1, recipe.name
        assert sum("$BASELINE" in gate for gate in gates) == 1, recipe.name
        assert "mammo/baseline.csv.gz" in recipe.read_text(), recipe.name


def test_a_gate_that_fails_keeps_its_scores_and_does_not_stop_the_nightly_one():
    by_name = {step.get("name", step.get("uses")): step for step in steps()}
    restored, saved = (by_name[f"actions/cache/{what}@v4"] for what in ("restore", "save"))
    assert saved["if"] == "always()", "actions/cache saves only after success"
    assert saved["with"]["key"] == restored["with"]["key"]
    assert "!cancelled()" in by_name["Everything else, nightly"]["if"]
    assert [*by_name].index("Everything else, nightly") < [*by_name].index("actions/cache/save@v4")
    yaml = pytest.importorskip("yaml", reason="reading the recipe needs PyYAML: pip install -e .[dev]")
    assert yaml.safe_load((CI / "gitlab-ci.yml").read_text())[".robustness"]["cache"]["when"] == "always"
    assert "catchError(" in (CI / "Jenkinsfile").read_text()


def test_a_workspace_that_stays_does_not_publish_the_report_of_an_earlier_build():
    text = (CI / "Jenkinsfile").read_text()
    assert text.index("rm -rf report") < text.index("--mammo-report=report")


def test_the_page_names_every_recipe():
    page = (ROOT / "docs" / "ci.md").read_text()
    assert all(f"(ci/{recipe.name})" in page for recipe in CI.iterdir())

"""`python -m robustness_tests`: its own configuration, the project's keys, both forms of an option."""

import configparser
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.command import joined, project_options, pytest_arguments
from mammo_fixtures.plugin.tests.gate_folder import CLASSIFIER, TOLERANCES, write_exams

ROOT = Path(__file__).resolve().parents[3]
CLAIMS = ROOT / "robustness_tests"


def test_both_forms_of_an_option_are_one():
    typed = ["-k", "lowpass", "--mammo-classifier", "my.release:load", "--mammo-strict", "-x", "--mammo-seed=3"]
    assert joined(typed) == [
        "-k",
        "lowpass",
        "--mammo-classifier=my.release:load",
        "--mammo-strict",
        "-x",
        "--mammo-seed=3",
    ]


def test_an_option_without_its_value_is_one_line():
    with pytest.raises(UnusableInput, match=r"^--mammo-exams needs a value; write --mammo-exams=MANIFEST$"):
        joined(["--mammo-exams"])


def test_the_projects_keys_come_before_what_was_typed_and_paths_are_relative_to_its_file(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "-k nothing"\nmammo_exams = "data/site.csv"\nmammo_store = "none"\n'
        "mammo_seed = 4\nmammo_baseline = ''\n"
    )
    inner = tmp_path / "inner"
    inner.mkdir()
    keys = [f"mammo_exams={tmp_path / 'data/site.csv'}", "mammo_store=none", "mammo_seed=4"]
    options = [f"--override-ini={key}" for key in keys]
    assert project_options(inner) == options
    arguments = pytest_arguments(CLAIMS, ["--mammo-exams", "phantoms"], working_folder=inner)
    first, last = arguments.index(options[0]), arguments.index("--mammo-exams=phantoms")
    assert arguments.index(f"--override-ini=mammo_store={inner / '.mammo' / 'scores.sqlite'}") < first < last
    assert not any("nothing" in argument for argument in arguments)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mammo_exam = 'a.csv'", r"pyproject.toml: unknown key mammo_exam; did you mean 'mammo_exams'\?$"),
        ("mammo_zzz = 1", r"pyproject.toml: unknown key mammo_zzz; known are mammo_allow_outside, "),
        ("mammo_exams = ['a.csv']", r"pyproject.toml: mammo_exams must be a text or a number, got \['a.csv'\]$"),
        ("mammo_exams = ", r"pyproject.toml must be TOML: "),
    ],
)
def test_keys_that_cannot_be_are_one_line(tmp_path, line, message):
    (tmp_path / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n{line}\n")
    with pytest.raises(UnusableInput, match=message):
        project_options(tmp_path)


@pytest.mark.parametrize(
    ("text", "name"),
    [("tool = 5", "tool"), ("[tool]\npytest = 5", "pytest"), ("[tool.pytest]\nini_options = 5", "ini_op")],
)
def test_a_pyproject_of_another_form_is_one_line(tmp_path, text, name):
    (tmp_path / "pyproject.toml").write_text(f"{text}\n")
    with pytest.raises(UnusableInput, match=rf"pyproject.toml: {name}\w* must be a table, got 5$"):
        project_options(tmp_path)


@pytest.mark.parametrize("name", ["pytest.ini", "tox.ini", "setup.cfg", ".pytest.ini"])
def test_keys_in_a_file_that_is_not_read_are_refused_not_passed_over(tmp_path, name):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'mine'\n")
    (tmp_path / name).write_text("[pytest]\naddopts = -q\n# mammo_seed = 3\n")
    assert project_options(tmp_path) == []
    (tmp_path / name).write_text("[pytest]\naddopts = -q\nmammo_classifier = release:load\n")
    with pytest.raises(UnusableInput, match=rf"{name}: mammo_classifier is not read here; .* move them there$"):
        project_options(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(UnusableInput, match=r"mammo_classifier is not read here"):
        project_options(inner)


def test_ids_as_printed_find_their_tests_and_a_selection_is_left_alone(tmp_path):
    one = "robustness_tests/test_holds.py::test_holds[contrast-0.90x-all-auc]"
    arguments = pytest_arguments(CLAIMS, [one], working_folder=tmp_path)
    assert arguments[-1] == str(ROOT / one)
    assert str(CLAIMS) not in arguments
    arguments = pytest_arguments(CLAIMS, ["-k", "robustness_tests/"], working_folder=tmp_path)
    assert arguments[-3:] == [str(CLAIMS), "-k", "robustness_tests/"]


@pytest.mark.parametrize("form", ["robustness_tests/", "../../suite/robustness_tests/", "{claims}/"])
def test_an_id_runs_its_test_alone_in_every_form_that_is_printed(tmp_path, form):
    claims, folder = tmp_path / "suite" / "robustness_tests", tmp_path / "a" / "b"
    test = "test_holds.py::test_holds[contrast-0.90x-all-auc]"
    printed = form.format(claims=claims) + test
    arguments = pytest_arguments(claims, [printed], working_folder=folder)
    assert arguments[-1] == str(claims / test)
    assert str(claims) not in arguments
    for typed in (["--deselect", printed], [f"--deselect={printed}"]):
        arguments = pytest_arguments(claims, typed, working_folder=folder)
        assert arguments[-2:] == [str(claims), f"--deselect=robustness_tests/{test}"]
    for typed in (["--ignore", printed.partition("::")[0]], [f"--ignore={printed.partition('::')[0]}"]):
        arguments = pytest_arguments(claims, typed, working_folder=folder)
        assert arguments[-2:] == [str(claims), f"--ignore={claims / 'test_holds.py'}"]


@pytest.fixture
def project(tmp_path):
    """A project with pytest settings of its own that would spoil the gate, and no claims."""
    write_exams(tmp_path / "exams")
    (tmp_path / "release.py").write_text(CLASSIFIER)
    (tmp_path / "mine.toml").write_text(TOLERANCES)
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not the gate')\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "-k nothing"\nfilterwarnings = ["error"]\n'
        'mammo_exams = "exams/site.csv"\nmammo_tolerances = "mine.toml"\n'
    )
    return tmp_path


def test_values_of_pytests_options_are_no_tests(tmp_path):
    typed = ["--junitxml", str(CLAIMS / "junit.xml")]
    assert pytest_arguments(CLAIMS, typed, working_folder=tmp_path)[-3:] == [str(CLAIMS), *typed]
    arguments = pytest_arguments(CLAIMS, ["-p", "no:cacheprovider"], working_folder=tmp_path)
    assert not any("cache_dir" in argument for argument in arguments), "pytest refuses it where nobody reads it"


def test_warnings_as_errors_do_not_end_the_command(tmp_path):
    """pytest warned that the command had imported the package before it could rewrite it."""
    done = command(tmp_path, "--co", "-q", "-W", "error", "-k", "lowpass-0.50mm-soft")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def command(project, *arguments, env=None):
    line = [sys.executable, "-m", "robustness_tests", *arguments]
    path = {"PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(
        line, cwd=project, env=os.environ | path, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_gate_runs_from_a_project_whose_own_settings_do_not_reach_it(project):
    arguments = ("-k", "contrast and not curve", "--mammo-classifier", "release:load", "-n", "2")
    done = command(project, *arguments, env={"PYTEST_ADDOPTS": "-k nothing"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "claims: 1 held" in done.stdout
    assert "warning" not in done.stdout
    assert "PYTEST_ADDOPTS is meant for other runs of pytest and is not used" in done.stderr
    assert (project / ".mammo" / "scores.sqlite").exists()


def test_a_table_is_judged_alone_in_a_project_whose_keys_name_classifier_and_exams(project):
    """Keys that became options counted as typed, and were refused beside the table that was typed."""
    with (project / "pyproject.toml").open("a") as file:
        file.write('mammo_classifier = "release:load"\nmammo_people = "people.csv"\nmammo_strict = true\n')
    (project / "people.csv").write_text("")
    claims = ("-k", "contrast and not curve")
    first = command(project, *claims, "--mammo-report=out", "-o", "mammo_people=")
    assert first.returncode == 0, first.stdout + first.stderr
    (project / "release.py").unlink()
    inner = project / "inner"
    inner.mkdir()
    for stated in ("--mammo-scores=../out/scores.csv.gz", "-omammo_scores=../out/scores.csv.gz"):
        again = command(inner, *claims, stated, "-n", "2")
        assert again.returncode == 0, again.stdout + again.stderr
        assert "claims: 1 held" in again.stdout
    typed = command(project, *claims, "--mammo-scores=out/scores.csv.gz", "--mammo-classifier=release:load")
    assert typed.returncode == 4
    assert "leave out one" in typed.stderr


def test_a_classifier_that_a_key_names_is_found_from_a_subfolder(project):
    """Of `pyproject.toml` above, exams and tolerances were found, and the classifier beside it was not."""
    home = project / "a name with 'spaces' ü"
    inner = home / "inner"
    inner.mkdir(parents=True)
    for name in ("pyproject.toml", "release.py", "mine.toml", "exams"):
        (project / name).rename(home / name)
    with (home / "pyproject.toml").open("a") as file:
        file.write('mammo_classifier = "release:load"\n')
    done = command(inner, "-k", "contrast and not curve", "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "claims: 1 held" in done.stdout


def test_a_file_that_is_not_there_is_said_by_where_it_was_named(project):
    """A path in pyproject.toml was told to be relative to the working folder."""
    (project / "exams" / "site.csv").unlink()
    stated = command(project, "--co", "-q").stderr
    assert f"mammo_exams = {project / 'exams' / 'site.csv'}: no such file; paths in a configuration file are" in stated
    typed = command(project, "--co", "-q", "--mammo-exams=b.csv").stderr
    assert f"--mammo-exams={project / 'b.csv'}: no such file; paths are relative to the working folder" in typed


def test_starting_copies_are_written_once(project):
    done = command(project, "--mammo-init")
    assert done.returncode == 0, done.stderr
    assert (project / "mammo" / "tolerances.toml").read_bytes() == (CLAIMS / "tolerances.toml").read_bytes()
    assert 'mammo_tolerances = "mammo/tolerances.toml"' in done.stdout
    (project / "mammo" / "tolerances.toml").write_text("# reviewed\n")
    again = command(project, "--mammo-init")
    assert again.returncode == 4
    assert f"--mammo-init overwrites nothing, {project / 'mammo' / 'tolerances.toml'} exists" in again.stderr
    assert (project / "mammo" / "tolerances.toml").read_text() == "# reviewed\n"
    assert command(project, "--mammo-init", "other").returncode == 0
    assert (project / "other" / "snapshots").is_dir()


def test_its_configuration_is_the_checkouts():
    own = configparser.ConfigParser()
    own.read(CLAIMS / "suite.ini")
    checkout = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert own["pytest"]["addopts"].split() == checkout["addopts"]
    assert own["pytest"]["minversion"] == checkout["minversion"]
    assert own.getboolean("pytest", "xfail_strict") is checkout["xfail_strict"]
    for limit in ("truncation_limit_lines", "truncation_limit_chars"):
        assert own.getint("pytest", limit) == checkout[limit] == 0, "the strongest severities are a table's last lines"

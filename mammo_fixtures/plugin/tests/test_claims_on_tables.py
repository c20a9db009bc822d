"""Score tables and tolerances as people write them: nothing that was asked for is left out without a word."""

import csv
import json

import numpy as np
import pytest

TOLERANCE = """
[[tolerance]]
claim = "{claim}"
perturbation = "{perturbation}"
{severities}
subgroup = "{subgroup}"
margin = 0.3
reason = "as a user has it"
"""


def asked(claim="holds", perturbation="lowpass", severities="severities = [0.5]", subgroup="Soft tissue"):
    return TOLERANCE.format(claim=claim, perturbation=perturbation, severities=severities, subgroup=subgroup)


def judge(gate, tolerances, *arguments, severities=("4", "0.75", "0.5"), lost=0.0, perturbation="lowpass", patient=""):
    """The gate on 60 malignant breasts and 120 others; at 0.5 and above all malignant ones lose so much."""
    rng = np.random.default_rng(3)
    malignant = np.arange(180) < 60
    base = rng.standard_normal(180) + 2.5 * malignant
    with (gate.path / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        names = [
            "exam_id",
            "side",
            "malignant",
            "subgroup",
            "perturbation",
            "severity",
            "reader",
            "score",
            "patient_id",
        ]
        writer.writerow(names)
        for condition in (("clean", "0"), *((perturbation, severity) for severity in severities)):
            fallen = lost * malignant * (condition[0] != "clean")
            for i, score in enumerate(base - fallen + 0.1 * rng.standard_normal(180)):
                kind = "Soft tissue" if malignant[i] else "normal"
                writer.writerow([i // 2, "LR"[i % 2], int(malignant[i]), kind, *condition, "r", score, patient])
    (gate.path / "mine.toml").write_text(tolerances)
    return gate.runpytest_subprocess(
        "--mammo-scores=scores.csv", "--mammo-tolerances=mine.toml", "--mammo-report=out", *arguments
    )


def test_a_curve_of_a_table_has_all_its_severities_mild_to_strong(gate):
    judge(gate, asked(), lost=3.0)
    for drawn in json.loads((gate.path / "out" / "curves.json").read_text())["curves"]:
        assert [point["severity"] for point in drawn["points"]] == [0.0, 0.5, 0.75, 4.0]
        # The mildest, whatever the order of the table's rows.
        assert [broken["severity"] for broken in drawn["first_broken"]] == [0.5] * (drawn["subgroup"] != "all")


def test_what_to_look_closer_with_selects_the_claim_of_a_name_with_a_space(gate):
    told = judge(gate, asked(), lost=3.0).stdout.str().partition("Look closer: the same command with -k ")[2]
    keyword = told.partition('"')[2].partition('"')[0]
    result = gate.runpytest_subprocess("--co", "-q", "--mammo-tolerances=mine.toml", "-k", keyword)
    result.stdout.fnmatch_lines(["*test_holds[[]lowpass-0.50mm-soft_tissue-auc]"])


def test_a_claim_against_a_baseline_that_was_not_given_is_not_run(gate):
    worse = asked("not_worse", "clean", severities="")
    result = judge(gate, asked() + worse)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*was not judged: there is no baseline to compare with; give one with --mammo-baseline=TABLE (*",
            "claims: 1 held, 0 broken, 0 inconclusive, 1 not run*",
        ]
    )
    result = judge(gate, asked() + worse + 'not_run = "allow"\n')
    assert result.ret == 0
    result.stdout.fnmatch_lines(["claims: 1 held, 0 broken, 0 inconclusive, 1 not run*"])
    assert judge(gate, asked() + worse, "--mammo-baseline=scores.csv").ret == 0


def test_a_subgroup_whose_every_tolerance_allows_it_may_be_too_small_for_its_clean_auc_too(gate):
    small = asked(subgroup="Calcifications")
    allow = 'not_run = "allow"\n'
    result = judge(gate, asked() + small + allow)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "claims: 1 held, 0 broken, 0 inconclusive, 1 not run (accepted); clean AUC: 2 held, 1 not run (accepted)",
            "note: accepted though not run, as their tolerances say: test_clean[[]clean-calcifications-auc], *",
        ]
    )
    said = (gate.path / "out" / "report.html").read_text(encoding="utf-8")
    assert "The gate passed: 1 of 2 claims was held; the other one is accepted by its tolerance" in said
    assert "the clean AUC of one subgroup was not judged, as the tolerances on it allow" in said
    for tolerances, strict in ((asked() + small, ()), (asked() + small + allow, ("--mammo-strict",))):
        result = judge(gate, tolerances, *strict)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["FAILED *test_clean[[]clean-calcifications-auc]*"])
    other = asked(subgroup="Calcifications", severities="severities = [0.75]")
    assert judge(gate, asked() + small + allow + other).ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(("arguments", "said"), [((), True), (("-m", "extended or not extended"), False)])
def test_claims_of_extended_perturbations_are_not_left_out_without_a_word(gate, arguments, said):
    result = judge(gate, asked() + asked(perturbation="crop", severities="severities = [0.8]"), *arguments)
    note = "note: 1 claim of the tolerances is about extended perturbations (crop) and was not run; -m extended"
    assert (note in result.stdout.str()) is said
    assert ("about extended perturbations" in (gate.path / "out" / "report.md").read_text()) is said


@pytest.mark.parametrize(
    ("arguments", "timed"),
    [
        (("test_speed.py",), 0),
        (("test_speed.py", "-m", "extended or not extended"), 0),
        (("test_speed.py", "-m", "benchmark"), 1),
        (("test_speed.py::test_speed",), 1),
    ],
)
def test_benchmarks_run_only_where_they_are_asked_for(gate, arguments, timed):
    gate.path.joinpath("test_speed.py").write_text(
        "import pytest\n\n@pytest.mark.benchmark\ndef test_speed():\n    pass\n\ndef test_other():\n    pass\n"
    )
    found = gate.runpytest_inprocess("--co", "-q", *arguments).stdout.str()
    assert found.count("test_speed.py::test_speed") == timed


def test_strict_may_stand_in_the_ini_file(gate):
    doubtful = asked() + 'inconclusive = "warn"\nnot_run = "allow"\n'
    assert judge(gate, doubtful, severities=("4",)).ret == 0
    with (gate.path / "tox.ini").open("a") as ini:
        ini.write("\nmammo_strict = true\n")
    assert judge(gate, doubtful, severities=("4",)).ret == pytest.ExitCode.TESTS_FAILED


def test_a_stratum_that_the_table_has_not_is_one_line_in_every_test_about_it(gate):
    text = judge(gate, asked(subgroup="density=d") + asked()).stdout.str()
    line = "scores.csv: a stratum must be a column of the table, got 'density'; it has subgroup, side"
    # Where CI is set, pytest's list of what failed repeats the line.
    told = [each for each in text.splitlines() if each.endswith(line) and not each.startswith("FAILED")]
    assert len(told) == 3  # clean, holds, curve
    assert "UnusableInput" not in text


def test_one_patient_for_all_exams_is_told_in_summary_and_report(gate):
    """As of an archive from which ids were removed: all of it would be one cluster."""
    result = judge(gate, asked(), patient="ANON")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["note: one patient_id stands for 90 of 90 exams, as where ids were removed: *"])
    report = json.loads((gate.path / "out" / "verdicts.json").read_text())
    assert report["header"]["patients"].startswith("one patient_id stands for 90 of 90 exams")
    assert "leave patient_id empty in those rows" in (gate.path / "out" / "report.html").read_text(encoding="utf-8")
    result = judge(gate, asked())
    assert result.ret == 0
    assert "patient_id" not in result.stdout.str()


def test_a_perturbation_of_the_table_that_is_not_in_the_catalogue_is_told(gate):
    result = judge(gate, asked() + 'not_run = "allow"\n', perturbation="lowpas", severities=("0.5",))
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "note: scores.csv: no claim is judged on perturbations that are not in the catalogue, got 'lowpas' "
            "(did you mean 'lowpass'?)"
        ]
    )


@pytest.mark.parametrize(
    "arguments", [("--mammo-report=file",), ("--mammo-report=file/x",), ("--mammo-snapshots=file",)]
)
def test_a_folder_that_is_a_file_is_refused_before_anything_is_scored(gate, arguments):
    gate.path.joinpath("file").write_text("a file")
    result = judge(gate, asked(), *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str().strip()
    flag, _, value = arguments[0].partition("=")
    assert said == (
        f"ERROR: {flag} must be a folder, got {gate.path / value}, where {gate.path / 'file'} is a file; give another"
    )


def test_junit_where_no_folder_can_be_is_refused_before_anything_is_scored(gate):
    """pytest makes the folder once all is judged, and ended in a traceback."""
    gate.path.joinpath("file").write_text("a file")
    result = judge(gate, asked(), "--junitxml=file/junit.xml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str().strip()
    assert said.startswith("ERROR: --junitxml must lie in a folder, got ")
    assert said.endswith("file is a file; give another")
    assert judge(gate, asked(), "--junitxml=made/here/junit.xml").ret == 0
    assert gate.path.joinpath("made", "here", "junit.xml").is_file()


def test_none_is_no_folder_of_that_name(gate):
    result = judge(gate, asked(), "--mammo-report=none", "--mammo-snapshots=none")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["mammo: tolerances *; snapshots none; report none"])
    assert not (gate.path / "none").exists()
    assert not (gate.path / "out").exists()


def test_a_report_that_fails_at_the_end_takes_no_summary_with_it(gate):
    gate.path.joinpath("robustness_tests", "test_late.py").write_text(
        "def test_late():\n    open('out', 'w').close()\n"
    )
    result = judge(gate, asked())
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["claims: 1 held, *", "note: --mammo-report=*out: cannot be written: *File exists*"])


def test_a_stored_curve_that_no_tolerance_asks_for_any_more_is_told(gate):
    """Its tolerance was deleted, and nothing said that the number is no longer watched."""
    gone = gate.path / "mine" / "test_curve" / "test_curve[contrast-all-auc].txt"
    gone.parent.mkdir(parents=True)
    gone.write_text("stored")
    result = judge(gate, asked(), "--mammo-snapshots=mine", "-k", "contract")
    assert result.ret == 0
    said = "note: 1 snapshot belongs to no curve of mine.toml, so that nothing is held against it; delete what is not"
    assert f"{said} meant: mine/test_curve/{gone.name}" in result.stdout.str()


def test_a_snapshot_that_is_not_utf8_fails_with_one_line_and_is_stored_anew(gate):
    arguments = (asked(), "--mammo-snapshots=mine", "-k", "curve and lowpass and all")
    assert judge(gate, *arguments, "--snapshot-update").ret == 0
    stored = gate.path / "mine" / "test_curve" / "test_curve[lowpass-all-auc].txt"
    whole = stored.read_bytes()
    stored.write_bytes(whole.replace(b"under", b"\xff\xfe"))
    result = judge(gate, *arguments)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*the stored curve is not UTF-8 in line 1: mend that file, or store the curve anew *"])
    assert "UnicodeDecodeError" not in result.stdout.str() + result.stderr.str()
    assert judge(gate, *arguments, "--snapshot-update").ret == 0
    assert stored.read_bytes() == whole


def test_a_report_of_curves_alone_says_what_pytest_says(gate):
    arguments = (asked(), "--mammo-snapshots=mine", "-k", "curve and lowpass and all")

    def told(*more):
        result = judge(gate, *arguments, *more)
        return result.ret, (gate.path / "out" / "report.md").read_text("utf-8").replace("\\", "")

    status, report = told()
    assert status == 1
    assert "The gate failed: 1 test failed." in report
    assert "no snapshot is stored for this curve; store one: the same command with --snapshot-update" in report
    status, report = told("--snapshot-update")
    assert status == 0
    assert "The gate passed: no claim of the tolerances was selected." in report
    (gate.path / "mine" / "test_curve" / "test_curve[contrast-all-auc].txt").write_text("stored")
    report = told("--snapshot-update", "-n", "2", "-k", "snapshot or curve")[1]
    assert "1 snapshot belongs to no curve" in report
    files = {path.name: path.read_bytes() for path in (gate.path / "out").iterdir() if path.suffix != ".zip"}
    named = [name for name, content in files.items() if str(gate.path).encode() in content]
    assert not named, "a report holds no path of the machine that made it"

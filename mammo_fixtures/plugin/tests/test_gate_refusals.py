"""What the gate cannot use it refuses in one line, with a status that is not 0."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from mammo_fixtures.given import given
from mammo_fixtures.plugin.tests.gate_folder import TOLERANCES, run

CLASSIFIER_FORMS = (
    "--mammo-classifier must be 'reference', 'package.module:callable', a .pt2, TorchScript or .onnx file, or an "
    "http:// endpoint"
)


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        ("release:scores_of_nothing", "scores must be finite, got nan for exam 0, L-CC, clean"),
        ("release:scores_of_two", "scores must be real numbers of shape (1,) or (1, 1), one a view, got (1, 2)"),
        ("no_such_module:load", "module 'no_such_module' could not be imported: ModuleNotFoundError"),
        ("release:missing", "module 'release' has no 'missing'"),
    ],
)
def test_unusable_classifiers_end_the_run_with_one_line(gate, classifier, message):
    result = run(gate, f"--mammo-classifier={classifier}", "-k", "contrast and holds")
    assert result.ret != 0
    assert message in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert "gate.py" not in result.stdout.str()


def test_why_a_run_ended_is_said_also_where_failures_are_not_shown(gate, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # should these tests run in one
    result = run(gate, "--mammo-classifier=no_such_module:load", "-k", "contrast and holds", "--tb=no")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*nothing can be judged: *module 'no_such_module' could not be imported*"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mammo-scores=nowhere.csv",), "nowhere.csv: no such file; paths are relative to the working folder"),
        (("--mammo-exams=nowhere.csv",), "nowhere.csv: no such file"),
        (("--mammo-baseline=",), "--mammo-baseline must have a value, got none; give one, or leave the option out"),
        (("--mammo-seed=-1",), "--mammo-seed must be a whole number of at least 0, got '-1'"),
        (("--mammo-batch-size=0",), "--mammo-batch-size must be a whole number of at least 1, got '0'"),
        (("--mammo-precision=fp8",), "--mammo-precision must be fp32, bf16 or fp16, got 'fp8'; give one of these"),
        (("--mammo-engine=Ray",), "--mammo-engine must be local or ray, got 'Ray'; did you mean 'ray'?"),
        (("--mammo-init=",), "--mammo-init must name a folder, got none; give one, or --mammo-init alone for mammo"),
        ((f"--mammo-exams={'x' * 5000}",), "--mammo-exams must be a file that can be read, got "),
        (("--mammo-power=99999999999999999999:100",), "up to 1000000 each, got '99999999999999999999:100'"),
        (
            ("--mammo-report=s3://bucket/out",),
            "--mammo-report must be a path of this machine, got a URL, s3://…; copy",
        ),
        (("--snapshot-update",), "--snapshot-update needs a folder for the curves of this classifier and cohort, got"),
        (("-p", "no:syrupy"), "the gate needs the pytest plugin syrupy, got a pytest without it; leave out -p no:syr"),
        (("--mammo-device=cud",), "--mammo-device must be auto, cpu, cuda or cuda:1, got 'cud'; did you mean cuda?"),
        (("--mammo-device=gpu:0",), "--mammo-device must be auto, cpu, cuda or cuda:1, got 'gpu:0'; give one of these"),
        (("--mammo-classifier=referense",), f"{CLASSIFIER_FORMS}, got 'referense'; did you mean reference?"),
        (("--mammo-classifier=release",), f"{CLASSIFIER_FORMS}, got 'release'; give one of these"),
        (("--mammo-classifier=release:",), f"{CLASSIFIER_FORMS}, got 'release:'; give one of these"),
        (("--mammo-classifier=release.onnx",), "release.onnx: no such file; paths are relative to the working folder"),
    ],
)
def test_unusable_options_are_usage_errors_at_the_start_and_import_no_torch(gate, arguments, message):
    gate.path.joinpath("torch.py").write_text("raise RuntimeError('torch was imported')\n")
    result = run(gate, "--co", "-q", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    assert len(result.stderr.str().strip().splitlines()) == 1
    assert "torch was imported" not in result.stdout.str() + result.stderr.str()


def test_a_python_without_assertions_is_refused(gate, monkeypatch):
    """With --assert=plain besides, a constant classifier had passed."""
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    result = run(gate, "--co", "-q")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    line = "ERROR: the gate needs its assertions, got a Python that removes them (-O or PYTHONOPTIMIZE); leave that out"
    assert result.stderr.str().strip() == line


def test_a_score_table_needs_no_classifiers_file(gate):
    """It may stand in the ini file for other runs; typed beside a table, it looks as if it were judged."""
    gate.path.joinpath("scores.csv").write_text("exam_id\n")
    ini = gate.path / "tox.ini"
    ini.write_text(ini.read_text().replace("release:load", "release.onnx"))
    assert run(gate, "--co", "-q", "--mammo-scores=scores.csv").ret == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--mammo-scores=release.py", "--mammo-classifier=release:load"),
            "--mammo-scores judges a table and runs no classifier on any exams, got --mammo-classifier=release:load",
        ),
        (("--mammo-scores=release.py", "--mammo-exams=phantoms"), "got --mammo-exams=phantoms beside --mammo-scores="),
        (("--mammo-scores=release.py", "--mammo-plan"), "--mammo-plan tells what a classifier has to score, got"),
        (("--mammo-people=release.py",), "people are drawn into the report alone; add --mammo-report=DIR"),
    ],
)
def test_what_would_have_no_effect_beside_another_option_is_a_usage_error(gate, arguments, message):
    result = run(gate, "--co", "-q", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    assert len(result.stderr.str().strip().splitlines()) == 1


def test_an_engine_that_cannot_be_is_a_usage_error(gate):
    result = run(gate, "--co", "-q", "--mammo-engine=ray", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--mammo-engine=ray shares exams among actors of its own, not among the workers of -n" in result.stderr.str()


def test_the_engine_may_stand_in_the_ini_file(gate):
    with (gate.path / "tox.ini").open("a") as file:
        file.write("\nmammo_engine = spark\nmammo_ray_address = 10.0.0.5:6379\n")
    assert "--mammo-engine must be local or ray, got 'spark'; give one of these" in run(gate, "--co", "-q").stderr.str()
    assert run(gate, "--co", "-q", "--mammo-engine=local").ret == 0, "an address may wait there for its runs"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mammo_sed = 3", "ERROR: tox.ini: unknown key mammo_sed; did you mean 'mammo_seed'?"),
        (
            "mammo_strict = maybe",
            "ERROR: mammo_strict must be true or false in a configuration file: invalid truth value",
        ),
    ],
)
def test_a_key_of_the_ini_file_that_cannot_be_is_refused(gate, line, said):
    with (gate.path / "tox.ini").open("a") as file:
        file.write(f"\n{line}\n")
    assert run(gate, "--co", "-q").stderr.str().startswith(said)


def test_an_option_written_with_a_space_is_met_with_the_right_form(gate, tmp_path_factory):
    table = tmp_path_factory.mktemp("elsewhere") / "scores.csv"
    table.write_text("exam_id\n")
    result = run(gate, "--mammo-scores", str(table))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"write --mammo-scores={table}" in result.stderr.str()


def test_a_manifest_out_of_reach_ends_the_run_with_one_line_that_shows_no_password(gate):
    result = run(gate, "--mammo-exams=nowhere://me:secret@host/site.csv", "-k", "contrast and holds")
    assert result.ret != 0
    shown = result.stdout.str() + result.stderr.str()
    assert "site.csv: the file must be within reach, got 'nowhere://me:…@host/site.csv': ValueError" in shown
    assert "exams nowhere://me:…@host/site.csv, seed 0" in shown
    assert "Traceback" not in shown
    assert "secret" not in shown


def test_bad_tolerances_are_usage_errors(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(
        TOLERANCES.replace('claim = "holds"', 'claims = "holds"', 1)
    )
    result = run(gate)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "tolerances.toml" in result.stderr.str()
    assert "'claims'" in result.stderr.str()


def rows_of(gate):
    with (gate.path / "exams" / "site.csv").open() as file:
        return list(csv.DictReader(file))


def rewrite(gate, rows):
    with (gate.path / "exams" / "site.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def put_dicom(name):
    def put(gate, rows):
        shutil.copyfile(given(f"dicom/broken/{name}"), gate.path / "exams" / "0_L.dcm")
        rows[0] |= {"path": "0_L.dcm", "pixel_spacing_mm": ""}

    return put


def put_12_bits_in_16(gate, rows):
    Image.fromarray(np.full((64, 48), 4095, np.uint16)).save(gate.path / "exams" / "0_L.png")


def forget_a_file(gate, rows):
    (gate.path / "exams" / "0_L.png").unlink()


def disagree(gate, rows):
    rows.insert(1, rows[0] | {"view": "MLO", "malignant": "0"})


def repeat(gate, rows):
    rows.insert(1, dict(rows[0]))


@pytest.mark.parametrize(
    ("break_something", "message"),
    [
        (put_dicom("truncated.dcm"), "exam 0, L-CC: "),
        (put_dicom("unknown_transfer_syntax.dcm"), "ransfer"),
        (put_dicom("missing_spacing.dcm"), "Imager Pixel Spacing (0018,1164) is missing; add pixel_spacing_mm to the"),
        (put_12_bits_in_16, "exam 0, L-CC: the brightest pixel must reach a quarter of the range"),
        (forget_a_file, "site.csv, row 2: the file that path names must exist, but does not; paths are relative to"),
        (disagree, "malignant"),
        (repeat, "one row a view, but exam 0, L-CC already stands in row 2"),
    ],
)
def test_unusable_exams_end_the_run_with_one_line(gate, break_something, message):
    rows = rows_of(gate)
    break_something(gate, rows)
    rewrite(gate, rows)
    result = run(gate, "-k", "contrast and holds")
    assert result.ret != 0
    # In CI pytest's last lines repeat the message in full.
    said = [line for line in result.stdout.lines if message in line and not line.startswith("ERROR ")]
    assert len(said) == 1, result.stdout.str()
    assert "exception" not in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*claims: 0 held, 0 broken, 0 inconclusive, 0 not run, 1 never judged*"])


def test_a_path_out_of_the_manifests_folder_needs_leave(gate):
    outside = gate.path / "outside"
    outside.mkdir()
    shutil.move(gate.path / "exams" / "0_L.png", outside / "0_L.png")
    rows = rows_of(gate)
    rows[0] |= {"path": "../outside/0_L.png"}
    rewrite(gate, rows)
    refused = run(gate, "-k", "contrast and holds")
    assert refused.ret == 1
    assert (
        f"got '../outside/0_L.png'; where that is meant, allow its folder: --mammo-allow-outside={outside}"
        in "".join(refused.stdout.lines)
    )
    assert run(gate, "-k", "contrast and holds", "--mammo-allow-outside=outside").ret == 0
    with (gate.path / "tox.ini").open("a") as file:
        file.write("\nmammo_allow_outside = outside\n")
    assert run(gate, "-k", "contrast and holds").ret == 0


def test_a_cohort_of_one_class_is_not_judged(gate):
    rewrite(gate, [row | {"malignant": "1"} for row in rows_of(gate)])
    result = run(gate, "-k", "contrast and holds")
    assert result.ret == 1
    assert "was not judged: there is no breast that is not malignant" in result.stdout.str()


def test_an_unknown_perturbation_in_the_tolerances_is_a_usage_error(gate):
    path = gate.path / "robustness_tests" / "tolerances.toml"
    path.write_text(TOLERANCES.replace('"contrast"', '"contrst"'))
    result = run(gate)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "tolerances.toml, table 3" in result.stderr.str()
    assert "did you mean 'contrast'?" in result.stderr.str()

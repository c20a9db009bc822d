"""What the gate cannot use it refuses in one line, with a status that is not 0."""

import pytest

from mammo_fixtures.plugin.tests.gate_folder import TOLERANCES


def run(gate, *args):
    return gate.runpytest_subprocess(*args, timeout=300)


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        ("release:scores_of_nothing", "scores must be finite, got nan for exam 0, L-CC, clean"),
        ("release:scores_of_two", "scores must have shape (1,) or (1, 1), one a view, got (1, 2)"),
        ("no_such_module:load", "module 'no_such_module' could not be imported: ModuleNotFoundError"),
        ("release:missing", "module 'release' has no 'missing'"),
        ("release", "classifier must be 'reference' or 'package.module:callable', got 'release'"),
    ],
)
def test_unusable_classifiers_end_the_run_with_one_line(gate, classifier, message):
    result = run(gate, f"--mammo-classifier={classifier}", "-k", "contrast and holds")
    assert result.ret != 0
    assert message in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert "gate.py" not in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mammo-scores=nowhere.csv",), "nowhere.csv: no such file; paths are relative to the working folder"),
        (("--mammo-exams=nowhere.csv",), "nowhere.csv: no such file"),
        (("--mammo-seed=-1",), "--mammo-seed must be a whole number of at least 0, got '-1'"),
        (("--mammo-batch-size=0",), "--mammo-batch-size must be a whole number of at least 1, got '0'"),
    ],
)
def test_unusable_options_are_usage_errors(gate, arguments, message):
    result = run(gate, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_an_option_written_with_a_space_is_met_with_the_right_form(gate, tmp_path_factory):
    table = tmp_path_factory.mktemp("elsewhere") / "scores.csv"
    table.write_text("exam_id\n")
    result = run(gate, "--mammo-scores", str(table))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"write --mammo-scores={table}" in result.stderr.str()


def test_bad_tolerances_are_usage_errors(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(
        TOLERANCES.replace('claim = "holds"', 'claims = "holds"', 1)
    )
    result = run(gate)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "tolerances.toml" in result.stderr.str()
    assert "'claims'" in result.stderr.str()

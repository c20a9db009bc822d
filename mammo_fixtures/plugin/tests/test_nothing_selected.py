"""A name mistyped is told from one that is not there: options, their values, and what `-k` asks for."""

import pytest
from _pytest.config.argparsing import Parser

from mammo_fixtures.plugin import option_form
from mammo_fixtures.plugin.options import add_options


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("lowpaas", "note: -k: no test is called 'lowpaas'; did you mean lowpass?"),
        ("lowpass and calcificatons", "note: -k: no test is called 'calcificatons'; did you mean microcalcifications?"),
        ("contrast and microcalcifications and holds", "note: no test has what -k asks for; --co -q lists *"),
    ],
)
def test_nothing_is_selected(gate, keyword, said):
    result = gate.runpytest_inprocess("--co", "-q", "-k", keyword)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines([said])


def test_extended_claims_are_named_as_such(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(
        '[[tolerance]]\nclaim = "holds"\nperturbation = "mirror"\nmargin = 0.2\nreason = "a breast has two sides"\n'
    )
    result = gate.runpytest_inprocess("--co", "-q", "-k", "mirror and holds")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["note: -k selects 1 tests, all of them extended; add -m extended"])


def test_a_mistyped_option_is_named():
    with pytest.raises(
        pytest.UsageError, match=r"^--mammo-clasifier is no option .*; did you mean --mammo-classifier\?$"
    ):
        option_form.check_form(["--mammo-clasifier=x"])
    option_form.check_form(["--mammo-classifier=x", "--mammo-strict", "-k", "lowpass"])


@pytest.mark.parametrize("option", ["--mammo-exams=site.csv", "--mammo-plan"])
def test_an_option_of_the_gate_where_there_are_no_claims_says_how_to_call_it(pytester, option):
    result = pytester.runpytest_subprocess(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "unrecognized" not in result.stderr.str()
    result.stderr.fnmatch_lines(
        [f"ERROR: {option.partition('=')[0]} is an option of the gate, *; elsewhere type python -m robustness_tests *"]
    )


def test_every_option_is_known_to_it():
    parser = Parser(_ispytest=True)
    add_options(parser)
    registered = {name for group in parser._groups for option in group.options for name in option.names()}
    assert registered == set(option_form._KNOWN)


def test_a_mistyped_value_that_is_a_word(gate):
    result = gate.runpytest_inprocess("--co", "-q", "--mammo-exams=phantom")
    result.stderr.fnmatch_lines(["ERROR: --mammo-exams=*phantom: no such file; *; did you mean phantoms?"])

"""What argparse would tell after many lines of usage is told in one."""

import subprocess
import sys

import pytest

from mammo_fixtures.classifiers.speed import SPEEDS
from mammo_fixtures.plugin.option_form import check_form
from mammo_fixtures.plugin.options import INIT_FOLDER, OPTIONS, add_options


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            ["--mammo-strict=yes"],
            "--mammo-strict takes no value, got --mammo-strict=yes; write --mammo-strict, or leave",
        ),
        (["-k", "x", "--mammo-seed"], "--mammo-seed must have a value, got none; write --mammo-seed=N, or leave the"),
        (["--mammo-store", "--mammo-plan"], "--mammo-store must have a value, got none; write --mammo-store=FILE, or"),
        (["--mammo-score=a.csv"], "--mammo-score is no option of mammo-robustness; did you mean --mammo-scores?"),
        (["--mammo_scores=a.csv"], "--mammo_scores is no option of mammo-robustness; did you mean --mammo-scores?"),
        (["--MAMMO-SCORES=a.csv"], "--MAMMO-SCORES is no option of mammo-robustness; did you mean --mammo-scores?"),
        (["-mammo-strict"], "-mammo-strict is no option of mammo-robustness; did you mean --mammo-strict?"),
        (
            ["--mammo-scores", __file__],
            "--mammo-scores must be followed by = and its value, got a space: pytest takes",
        ),
    ],
)
def test_what_is_nearly_an_option_is_refused(typed, said):
    with pytest.raises(pytest.UsageError) as refused:
        check_form(typed)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        (["--mammo-strict", "-k", "holds"], {"mammo_strict": True}),
        (["--mammo-power", "--co"], {"mammo_power": "cohort"}),
        (["--mammo-init"], {"mammo_init": INIT_FOLDER}),
        (["--mammo-seed=1", "--mammo-seed=2"], {"mammo_seed": "2"}),
        (["--mammo-device", "cpu"], {"mammo_device": "cpu"}),
        (["--mammo-scores", "x" * 5000], {"mammo_scores": "x" * 5000}),
        (["-m", "extended", "mammo-notes.txt"], {}),
    ],
)
def test_what_pytest_understands_is_left_to_it(typed, understood):
    given = list(typed)
    check_form(given)
    assert given == typed
    parser = pytest.Parser(_ispytest=True)
    add_options(parser)
    found = vars(parser.parse_known_args(typed))
    assert {name: value for name, value in found.items() if value and name.startswith("mammo_")} == understood


def test_other_projects_runs_of_pytest_load_next_to_nothing():
    """The entry point is loaded by every pytest in an environment that has the suite."""
    line = "import sys, pytest, mammo_fixtures.plugin.option_form; print(*(name for name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.startswith("mammo_fixtures.")}
    own = ("", ".option_form", ".options", ".engine_choice")
    assert ours == {"mammo_fixtures.errors", *(f"mammo_fixtures.plugin{name}" for name in own)}
    assert not {"numpy", "scipy", "torch", "pydicom"} & set(loaded)


def test_the_help_names_every_speed():
    (speed,) = (option for option in OPTIONS if option.name == "speed")
    assert speed.help.startswith(f"of {', '.join(SPEEDS)}, separated by commas")

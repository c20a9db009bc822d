"""Folders of killed runs, which may hold exam ids, are removed by the next run; no folder of one that lives is."""

import signal
import subprocess
import sys
import tempfile

import pytest

from mammo_fixtures.plugin.run_folder import PREFIX, hold, let_go, make_folder, sweep

pytest.importorskip("fcntl")
OTHER = """
import sys
from mammo_fixtures.plugin.run_folder import hold, make_folder
folder = make_folder() if len(sys.argv) < 2 else __import__("pathlib").Path(sys.argv[1])
hold(folder)
(folder / "exam ids").write_text("1")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def other(place, *arguments):
    """Another process that holds a folder, and its path."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, *arguments], env={"TMPDIR": str(place), "PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return process, place / process.stdout.readline().strip()


def killed(process):
    with process:
        process.send_signal(signal.SIGKILL)


def test_what_a_killed_run_left_is_removed_once_its_last_process_is_gone(place):
    controller, folder = other(place)
    worker, _ = other(place, str(folder))
    for process in (controller, worker):
        sweep()
        assert (folder / "exam ids").exists()
        killed(process)
    sweep()
    assert not folder.exists()


def test_a_run_that_lives_and_whatever_nobody_can_be_asked_about_stay(place):
    mine = make_folder()
    held = hold(mine)
    older = place / f"{PREFIX}of-an-earlier-version"
    older.mkdir()
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "held").touch()
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    sweep()
    assert {path.name for path in place.iterdir()} == {mine.name, older.name, "elsewhere", f"{PREFIX}link"}
    assert (elsewhere / "held").exists()
    let_go(held)
    sweep()
    assert not mine.exists()


def test_a_run_sweeps_and_leaves_nothing(gate, place, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(place))
    process, folder = other(place)
    killed(process)
    assert gate.runpytest_subprocess("--mammo-plan", "-k", "nothing_of_that_name").ret in (0, 5)
    assert not folder.exists()
    assert not list(place.glob(f"{PREFIX}*"))

"""What a run uses is used once; where memory or disk run out, it says so, and nothing is lost."""

import gzip
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

CLAIMS = ("-k", "holds or responds or clean")
COUNTING = """
import os
from mammo_fixtures.exams import ViewFile

read = ViewFile.read

def counted(self):
    with open("decoded.txt", "a") as log:
        log.write(f"{self.path}\\n")
    return read(self)

ViewFile.read = counted
"""
NARROW = """
import torch
from mammo_fixtures import Classifier
from release import Detail

class Narrow(Detail):
    def forward(self, x):
        if len(x) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().forward(x)

def load():
    return Classifier(Narrow(), name="detail", score="logit")
"""


def run(gate, *arguments):
    return gate.runpytest_subprocess(*CLAIMS, *arguments, timeout=300)


def scores(folder):
    with gzip.open(folder / "scores.csv.gz", "rb") as file:
        return file.read()


def test_each_view_is_decoded_once_a_pass_and_a_classifier_loaded_once_a_process(gate):
    gate.path.joinpath("conftest.py").write_text(gate.path.joinpath("conftest.py").read_text() + COUNTING)
    assert run(gate, "-n", "2").ret == 0
    decoded = (gate.path / "decoded.txt").read_text().split()
    assert len(decoded) == len(set(decoded)) == 300
    loads = (gate.path / "loads.txt").read_text().split()
    assert len(loads) == len(set(loads)) == 2
    assert run(gate, "-n", "2").ret == 0
    assert (gate.path / "decoded.txt").read_text().split() == decoded, "a warm run decodes nothing"


def test_memory_that_runs_out_at_batch_size_eight_costs_time_and_is_said(gate):
    gate.makefile(".py", narrow=NARROW)
    assert run(gate, "--mammo-report=whole", "--mammo-store=none").ret == 0
    result = run(gate, "-n", "2", "--mammo-classifier=narrow:load", "--mammo-batch-size=8", "--mammo-report=less")
    assert result.ret == 0
    assert scores(gate.path / "whole") == scores(gate.path / "less")
    said = [line for line in result.stdout.lines if "did not fit in memory" in line]
    assert said == ["note: batch size 8 did not fit in memory on cpu; went on with 2"]


@pytest.fixture
def small_disk():
    """A file system with room for a few hundred scores; gives its folder and what makes it larger."""
    folder = Path(tempfile.mkdtemp())
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        pytest.skip("no file system can be mounted here; a full disk is played in test_unusable_store.py")
    yield folder, lambda: subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_disk_that_fills_ends_the_run_with_one_line_and_the_next_goes_on(gate, small_disk):
    folder, enlarge = small_disk
    store = f"--mammo-store={folder / 'scores.sqlite'}"
    result = run(gate, "-n", "2", store)
    assert result.ret == 1
    line = f"store {folder}/scores.sqlite: must be a file that can be written, got: *; free space, or give another file"
    result.stdout.fnmatch_lines([f"*{line}*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    enlarge()
    assert run(gate, "--mammo-report=undisturbed", "--mammo-store=none").ret == 0
    again = run(gate, store, "--mammo-report=again")
    assert again.ret == 0
    assert scores(gate.path / "again") == scores(gate.path / "undisturbed")


def test_a_temporary_folder_without_room_is_told_in_one_line(gate):
    """A report's pictures are kept there, after hours of scoring."""
    gate.makefile(
        ".py",
        full="""
        import mammo_fixtures.plugin.report_inputs as inputs

        def full(path, content):
            raise OSError(28, "No space left on device")

        inputs.write_whole = full
        """,
    )
    result = gate.runpytest_subprocess("-p", "full", "-k", "clean-all", "--mammo-report=report", timeout=300)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["temporary folder *: must have room for moved.json, got: No space left on device; free space there, or *"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")

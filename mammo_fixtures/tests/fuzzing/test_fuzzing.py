"""A fixed share of the mutated files; the long run is `python -m mammo_fixtures.tests.fuzzing images` and `tables`."""

import subprocess
import sys
import zlib

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.region import read_region
from mammo_fixtures.scoring.table_files import read_score_table
from mammo_fixtures.tests.fuzzing.cases import KINDS, run_case, targets
from mammo_fixtures.tests.fuzzing.mutations import mutated
from mammo_fixtures.tests.fuzzing.targets import Target


@pytest.mark.parametrize(
    ("kind", "cases", "least", "most"),
    [("images", 1000, 400, 950), ("tables", 600, 300, 600), ("classifiers", 40, 4, 40)],
)
def test_a_share_of_the_mutated_files_is_read_right_or_refused_in_one_line(kind, cases, least, most):
    line = [sys.executable, "-m", "mammo_fixtures.tests.fuzzing", kind, f"--cases={cases}", "--seed=7"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{cases} cases of seed 7" in done.stdout
    counts = dict(text.split() for text in done.stdout.splitlines() if len(text.split()) == 2)
    assert least < int(counts["refused"]) < most, "mutations must reach the readers, and some must be harmless"


class Reader(Target):
    def read(self, path):
        content = path.read_bytes()
        if content == self.content:
            return "same"
        raise {0: MemoryError, 1: UnusableInput, 2: AssertionError}[zlib.crc32(content) % 3]("two\nlines \x1b[31m")


def test_a_reader_with_faults_is_found_out(tmp_path):
    target = Reader(name="faulty", content=b"0123456789" * 9, file="a.txt")
    outcomes = {run_case(target, tmp_path, seed=0, case=case).what for case in range(60)}
    assert outcomes == {"MemoryError: two\nlines \x1b[31m", "refused", "accepted, but two\nlines \x1b[31m"}
    assert mutated(target.content, seed=0, case=3) == mutated(target.content, seed=0, case=3)


def test_every_target_is_accepted_as_it_is(tmp_path):
    for kind in KINDS:
        for target in targets(kind, tmp_path):
            path = tmp_path / target.file
            path.write_bytes(target.content)
            assert target.read(path) == "same", target.name


def test_a_message_is_one_printable_line_of_bounded_length_whatever_the_file_holds():
    hostile = f"site.csv, row 9: got 'a\x1b[31m\u202e\x00\ufeffb' and {'9' * 5000!r}; correct it"
    assert str(UnusableInput(hostile)).isprintable()
    assert "a\\x1b[31m\\u202e\\x00\\ufeffb" in str(UnusableInput(hostile))
    assert len(str(UnusableInput(hostile))) < 500
    assert str(UnusableInput(hostile)).endswith("; correct it")
    assert len(str(UnusableInput("a " * 5000 + "remedy"))) < 1600


def test_a_mask_with_a_wrong_checksum_is_refused(tmp_path):
    """Pillow reads it without a word, another mask than was drawn."""
    (mask,) = (target for target in targets("tables", tmp_path) if target.name == "mask")
    data = bytearray(mask.content)
    place = data.index(b"IDAT") + 4
    length = int.from_bytes(data[place - 8 : place - 4], "big")
    other = np.zeros((64, 49), np.uint8)
    packed = (
        zlib.compress(other.tobytes())[: length - 4].ljust(length - 4, b"\0")
        + data[place + length - 4 : place + length]
    )
    data[place : place + length] = packed
    (tmp_path / "region.png").write_bytes(data)
    with pytest.raises(UnusableInput, match=r"the mask must be an undamaged PNG"):
        read_region(tmp_path / "region.png", (64, 48))


@pytest.mark.parametrize("corner", ["1" + "0" * 400, "NaN", "Infinity", "[" * 5000])
def test_corners_that_are_no_number_of_pixels(tmp_path, corner):
    (tmp_path / "region.json").write_text(f"[[[{corner}, 1], [2, 2], [3, 1]]]")
    with pytest.raises(UnusableInput, match=r"the region must be|corners must lie inside the image"):
        read_region(tmp_path / "region.json", (64, 48))


def test_a_space_in_a_score_table_does_not_set_a_row_apart(tmp_path):
    table = "exam_id,side,malignant,subgroup,perturbation,severity,reader,score\n1,L,0,normal, clean,0,a,0.5\n"
    (tmp_path / "scores.csv").write_text(table)
    with pytest.raises(
        UnusableInput, match=r"row 2: perturbation must not begin or end with a space, got ' clean'; rem"
    ):
        read_score_table(tmp_path / "scores.csv")
    (tmp_path / "scores.csv").write_text(table.replace(" clean", "clean").replace("normal", "normal "))
    with pytest.raises(UnusableInput, match=r"row 2: subgroup must not begin or end with a space, got 'normal '; rem"):
        read_score_table(tmp_path / "scores.csv")

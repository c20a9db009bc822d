"""Small files that would grow, or that keep a parser busy: each refused in one line, with little memory."""

import gzip
import io
import json
import subprocess
import sys
import textwrap
import zlib

import pytest

from mammo_fixtures import UnusableInput, read_cohort, read_tolerances
from mammo_fixtures.classifiers.declaration import parsed
from mammo_fixtures.exams import limits
from mammo_fixtures.exams.limits import ShortLines
from mammo_fixtures.exams.region import MOST_CORNERS, read_region
from mammo_fixtures.scoring.table_files import read_score_table

HEADER = "exam_id,side,malignant,subgroup,perturbation,severity,reader,score\n"
MANIFEST = "exam_id,side,view,path\n"


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 100_000, "a = " + "9" * 5000, "a = " + "{b=" * 50_000, ".".join("a" * 5000) + " = 1"],
    ids=["lists in lists", "digits", "tables in tables", "dots"],
)
def test_tolerances_and_declarations_that_exhaust_a_parser(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UnusableInput, match=r"mine\.toml: (tolerances must be TOML in UTF-8|only \[\[tolerance)"):
        read_tolerances(tmp_path / "mine.toml")
    with pytest.raises(UnusableInput, match=r"mine\.toml: a declaration must be TOML|is no field of a classifier"):
        parsed(text, "mine.toml")


def test_tolerances_of_many_megabytes(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"#" * (limits.MOST_SETTINGS_BYTES + 1))
    with pytest.raises(UnusableInput, match=r"mine\.toml: a file of this kind may hold at most 16777216 bytes"):
        read_tolerances(tmp_path / "mine.toml")


def test_a_region_of_more_corners_than_anyone_draws(tmp_path):
    triangle = [[1, 1], [1, 9], [9, 5]]
    (tmp_path / "region.json").write_text(json.dumps([triangle] * (MOST_CORNERS // 3 + 1)))
    with pytest.raises(UnusableInput, match=r"the region may have at most 100000 corners, got more"):
        read_region(tmp_path / "region.json", (64, 48))


def test_a_score_table_whose_row_never_ends(tmp_path):
    for name, content in (("a.csv", HEADER.encode() + b"1" * 2**21), ("b.csv.gz", gzip.compress(bytes(2**21)))):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UnusableInput, match=rf"score table {name}, row \d: a line may have at most 1048576 bytes"):
            read_score_table(path)


def test_lines_are_measured_across_the_pieces_in_which_they_are_read():
    def read(content, **limit):
        short = ShortLines(io.BytesIO(content), **limit)
        return b"".join(iter(lambda: short.read(7), b""))

    content = b"12345678\n\n1234567890\n12"
    assert read(content, most=23, longest=10) == content
    with pytest.raises(UnusableInput, match="a line may have at most 9 bytes"):
        read(content, longest=9)
    with pytest.raises(UnusableInput, match="a table may hold at most 22 bytes"):
        read(content, most=22)


def test_a_manifest_of_more_rows_than_there_are_exams(tmp_path, monkeypatch):
    monkeypatch.setattr("mammo_fixtures.exams.manifest_rows.MOST_ROWS", 3)
    (tmp_path / "site.csv").write_text(MANIFEST + "".join(f"{n},L,CC,a.png\n" for n in range(4)))
    with pytest.raises(UnusableInput, match=r"site\.csv, row 5: a manifest may have at most 3 rows, got more; split"):
        read_cohort(tmp_path / "site.csv")


def test_a_zero_byte_would_make_two_exams_one(tmp_path):
    """Found by fuzzing: NumPy drops zero bytes at the end of a text, so that exam 17 and exam 17\\0 met."""
    (tmp_path / "a.csv").write_text(HEADER + "17,L,0,normal,clean,0,a,0.5\n17\0,L,0,normal,clean,0,a,0.5\n")
    with pytest.raises(UnusableInput, match=r"row 3: exam_id must not hold a zero byte, got '17.x00'; remove it"):
        read_score_table(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text(HEADER + "17,L,0,normal,clean,0,a\0,0.5\n")
    with pytest.raises(UnusableInput, match=r"row 2: reader must not hold a zero byte"):
        read_score_table(tmp_path / "b.csv")
    (tmp_path / "site.csv").write_text(MANIFEST + "17\0,L,CC,a.png\n")
    with pytest.raises(UnusableInput, match=r"site\.csv, row 2: a value must not hold a zero byte; write the file"):
        read_cohort(tmp_path / "site.csv")


def test_a_path_longer_than_a_file_system_takes(tmp_path):
    """Found by fuzzing: asking for it raised OSError."""
    (tmp_path / "site.csv").write_text(MANIFEST + f"17,L,CC,{'a' * 5000}.png\n")
    with pytest.raises(UnusableInput, match=r"site\.csv, row 2: the file that path names must exist, but"):
        read_cohort(tmp_path / "site.csv")


GROWS = """
import resource
import sys
from pathlib import Path
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.view_file import ViewFile
import numpy, PIL.Image, PIL.PngImagePlugin, pydicom
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
stated = dict(pixel_spacing_mm=(0.05, 0.05), intensity_high=4095.0)
file = ViewFile(exam_id="1", side="L", position="CC", path=Path(sys.argv[1]), **stated)
try:
    print(file.read().pixels.shape)
except UnusableInput as refusal:
    print(refusal)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def bomb(kind, folder):
    """The worst file of a kind: the largest image of zeros, or what unpacks to more than is allowed."""
    from mammo_fixtures.exams.tests.test_limits import chunk, packed, png_of
    from mammo_fixtures.given import given

    if kind == "png":
        return png_of(8192, 8192), "(8192, 8192)"
    if kind == "png text":
        whole = given("dicom/phantom.png").read_bytes()
        text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(10**9 // 2), 9))
        return whole[:33] + text + whole[33:], "the PNG must be complete and undamaged"
    whole = given("dicom/deflated.dcm").read_bytes()
    end = whole.index(b"PYDICOM 3.0.2 ") + 14
    return whole[:end] + packed(bytes(2**31)), "a deflated data set may unpack to at most"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the most memory of a process this way")
@pytest.mark.parametrize("kind", ["png", "png text", "deflated"])
def test_the_most_memory_that_a_small_file_can_ask_for(kind, tmp_path):
    content, said = bomb(kind, tmp_path)
    assert len(content) < 5 * 10**6
    (tmp_path / "view").write_bytes(content)
    line = [sys.executable, "-c", textwrap.dedent(GROWS), str(tmp_path / "view")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=250, check=True)
    *_, outcome, megabytes = done.stdout.splitlines()
    assert said in outcome
    assert int(megabytes) < 1024, f"grew by {megabytes} MB"

"""The NYU formats: exam lists that are unpickled without running anything, and their tables of predictions."""

import csv
import os
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest
from PIL import Image

from mammo_fixtures import ScoreTable, UnusableInput, read_cohort
from mammo_fixtures.exams import nyu as exams_nyu
from mammo_fixtures.exams.nyu_list import read_exam_list
from mammo_fixtures.exams.plain_pickle import read_plain_pickle
from mammo_fixtures.scoring import CLEAN
from mammo_fixtures.scoring import nyu as scoring_nyu

# As the projects' README files print them.
BEFORE_CROPPING = {
    "horizontal_flip": "NO",
    "L-CC": ["0_L_CC"],
    "R-CC": ["0_R_CC"],
    "L-MLO": ["0_L_MLO"],
    "R-MLO": ["0_R_MLO"],
}
WITH_LABELS = {
    "horizontal_flip": "NO",
    "L-CC": ["1_L-CC"],
    "L-MLO": ["1_L-MLO", "1_L-MLO_2"],
    "R-MLO": ["1_R-MLO"],
    "R-CC": ["1_R-CC"],
    "best_center": {"R-CC": [(np.float64(1136.0), np.int64(158))]},
    "cancer_label": OrderedDict(left_benign=1, unknown=0, right_malignant=np.int64(1), left_malignant=0),
}


@pytest.fixture
def exam_list(tmp_path):
    return written(tmp_path, [BEFORE_CROPPING, WITH_LABELS])


def written(tmp_path, content, protocol=4):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def predictions(tmp_path, text):
    path = tmp_path / "predictions.csv"
    path.write_text(text)
    return path


def converted(tmp_path, text, exam_list, *more, status=0):
    output = tmp_path / "scores.csv"
    arguments = [str(predictions(tmp_path, text)), f"--exams={exam_list}", f"-o{output}", *more]
    assert scoring_nyu.main(arguments) == status
    return ScoreTable.read(output) if status == 0 else None


BREASTS = (
    "left_benign,right_benign,left_malignant,right_malignant\n0.05,0.01,0.0754,0.0179\n0.06,0.0012,0.9536,0.7258\n"
)
IMAGES = "image_index,malignant_pred\n" + "".join(
    f"{name},{score}\n"
    for name, score in [
        ("0_L_CC", 0.25), ("0_R_CC", 0.5), ("0_L_MLO", 0.75), ("0_R_MLO", 0.5),
        ("1_L-CC", 0.125), ("1_R-CC", 1), ("1_L-MLO", 0.375), ("1_R-MLO", 0),
    ]
)  # fmt: skip


@pytest.mark.parametrize("protocol", range(6))
def test_a_list_in_every_protocol(tmp_path, protocol):
    first, second = read_exam_list(written(tmp_path, [BEFORE_CROPPING, WITH_LABELS], protocol))
    assert (first.exam_id, first.images["L-MLO"], first.malignant) == ("0", ("0_L_MLO",), {"L": "", "R": ""})
    assert (second.images["L-MLO"], second.malignant) == (("1_L-MLO", "1_L-MLO_2"), {"L": "0", "R": "1"})


@pytest.mark.parametrize("protocol", range(6))
def test_numbers_as_they_were(tmp_path, protocol):
    kinds = (np.int8, np.uint16, np.int32, np.int64, np.float32, np.float64, np.bool_)
    content = [kind(1) for kind in kinds]
    content += [
        np.dtype(">i4").type(-3),
        {1, 2},
        frozenset([3]),
        b"\xff",
        (1.5, None, True),
    ]
    assert read_plain_pickle(written(tmp_path, content, protocol)) == content


class Runs:
    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return (os.mkdir, (self.folder,))


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_of_a_file_runs(tmp_path, protocol):
    path = written(tmp_path, [BEFORE_CROPPING, Runs(tmp_path / "ran")], protocol)
    with pytest.raises(UnusableInput) as caught:
        read_exam_list(path)
    assert str(caught.value).startswith("data.pkl: a pickle may hold plain containers, texts and numbers, got ")
    assert ".mkdir" in str(caught.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (np.zeros(3), "_reconstruct"),
        (np.float64, "numpy.float64"),
        (eval, ".eval"),
        ([np.datetime64("2020-01-01")], "numbers of kind 'M8'"),
    ],
)
def test_other_objects_are_named(tmp_path, content, got):
    with pytest.raises(UnusableInput, match="a pickle may hold plain containers") as caught:
        read_plain_pickle(written(tmp_path, content))
    assert got in str(caught.value)


def test_damaged_lists(tmp_path):
    path = written(tmp_path, [BEFORE_CROPPING])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UnusableInput, match="must be a whole pickle"):
        read_exam_list(path)
    path.write_bytes(b"\x80\x04" + struct.pack("<B", 0x8D) + b"\xff" * 8)
    with pytest.raises(UnusableInput, match="must be a whole pickle"):
        read_exam_list(path)


@pytest.mark.parametrize(
    ("exams", "said"),
    [
        ({}, "data.pkl: an exam list must be a list of dicts, got dict"),
        (["a"], "data.pkl, exam 0: an exam must be a dict, got str"),
        ([{"L-CC": "a"}], "data.pkl, exam 0: L-CC must be a list of file names, got str"),
        (
            [{"horizontal_flip": "NO"}],
            "data.pkl, exam 0: an exam must have images of L-CC, R-CC, L-MLO, R-MLO, got none",
        ),
        (
            [BEFORE_CROPPING, {"L-CC": ["a"], "cancer_label": {"left_malignant": 2}}],
            "data.pkl, exam 1: left_malignant must be 0 or 1, got 2",
        ),
    ],
)
def test_other_lists(tmp_path, exams, said):
    with pytest.raises(UnusableInput) as caught:
        read_exam_list(written(tmp_path, exams))
    assert str(caught.value) == said


def test_a_manifest(tmp_path, exam_list, capsys):
    (tmp_path / "images").mkdir()
    for exam in (BEFORE_CROPPING, WITH_LABELS):
        for view in ("L-CC", "R-CC", "L-MLO", "R-MLO"):
            for name in exam[view]:
                Image.fromarray(np.full((4, 3), 60_000, np.uint16)).save(tmp_path / "images" / f"{name}.png")
    output = tmp_path / "site.csv"
    arguments = [str(exam_list), f"--images={tmp_path / 'images'}", "--pixel-spacing-mm=0.07", f"-o{output}"]
    assert exams_nyu.main(arguments) == 0
    cohort = read_cohort(output)
    assert [(b.exam_id, b.side, b.malignant, len(b.views)) for b in cohort.breasts] == [
        ("0", "L", None, 2), ("0", "R", None, 2), ("1", "L", False, 3), ("1", "R", True, 2),
    ]  # fmt: skip
    assert cohort.exams[0].views[0].read().pixel_spacing_mm == (0.07, 0.07)
    assert "2 exams, 9 views, 1 malignant breasts" in capsys.readouterr().out
    assert exams_nyu.main(arguments) == 2
    assert "site.csv is there already" in capsys.readouterr().err


def test_breast_level_predictions(tmp_path, exam_list):
    table = converted(tmp_path, BREASTS, exam_list)
    assert table.at(CLEAN)[:, 0].tolist() == [0.0754, 0.0179, 0.9536, 0.7258]
    assert table.malignant.tolist() == [-1, -1, 0, 1]


@pytest.mark.parametrize(("aggregate", "expected"), [("mean", [0.5, 0.5, 0.25, 0.5]), ("max", [0.75, 0.5, 0.375, 1])])
def test_image_level_predictions(tmp_path, exam_list, aggregate, expected):
    table = converted(tmp_path, IMAGES, exam_list, f"--aggregate={aggregate}")
    scores = {(e, s): v for e, s, v in zip(table.exam_id, table.side, table.at(CLEAN)[:, 0], strict=True)}
    assert [scores[e, s] for e in "01" for s in "LR"] == expected


def test_conditions_are_joined(tmp_path, exam_list):
    converted(tmp_path, BREASTS, exam_list)
    table = converted(
        tmp_path, BREASTS.replace("0.9536", "0.5"), exam_list, "--append", "--perturbation=lowpass", "--severity=0.5"
    )
    assert table.severities("lowpass") == (0.5,)
    rows = list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))
    assert len(rows) == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "predictions need the columns left_malignant and right_malignant, or image_index and malignant"),
        (BREASTS.rsplit("\n", 2)[0], "must have a row for each exam of the list, in its order, got 1 rows for 2 exams"),
        (BREASTS.replace("0.9536", "1.2"), "row 3: left_malignant must be a probability in [0, 1], got '1.2'"),
        (IMAGES.replace("0_R_CC,", "9_R_CC,"), "every view must have a prediction, exam 0, R-CC has none"),
        (IMAGES + "9_L,0.5\n", "row 10: every prediction must be of an image of the list, 1 are not"),
        (IMAGES + "0_L_CC,0.5\n", "row 10: an image has one prediction, but it stands in row 2 too; keep one"),
        ("index," + BREASTS.replace("\n0", "\n1,0"), "row 2: index must be the exam's place in the list, 0, got '1'"),
    ],
)
def test_other_predictions(tmp_path, exam_list, capsys, text, said):
    converted(tmp_path, text, exam_list, status=2)
    message = capsys.readouterr().err
    assert message.startswith("error: predictions.csv")
    assert said in message
    assert not (tmp_path / "scores.csv").exists()


def test_a_table_is_left_as_it_was_where_rows_cannot_be_added(tmp_path, exam_list, capsys):
    converted(tmp_path, BREASTS, exam_list)
    before = (tmp_path / "scores.csv").read_text()
    converted(tmp_path, BREASTS, exam_list, "--append", status=2)
    assert "has a second one for clean" in capsys.readouterr().err
    converted(tmp_path, BREASTS, exam_list, status=2)
    assert "scores.csv is there already; remove it, or give --append" in capsys.readouterr().err
    assert (tmp_path / "scores.csv").read_text() == before

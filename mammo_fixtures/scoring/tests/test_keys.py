"""Keys change with everything that decides a score, and with nothing else."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mammo_fixtures import PERTURBATIONS, View
from mammo_fixtures.exams import Table, ViewFile, Window
from mammo_fixtures.scoring import CLEAN, Condition
from mammo_fixtures.scoring.keys import file_digest, pixels_digest, score_key
from mammo_fixtures.scoring.tests.tiny_cohort import pixels

WINDOW = Window(centre=100, width=50)


def view(**changed):
    declared = {
        "pixel_spacing_mm": (0.1, 0.1), "side": "L", "position": "CC", "exam_id": "1", "chest_wall": "left",
        "intent": "FOR PRESENTATION", "voi": (WINDOW,), "intensity_range": (0.0, 65535.0),
        "region": np.zeros((24, 20), dtype=bool),
    }  # fmt: skip
    stored = changed.pop("stored", pixels("1", "L", "CC"))
    return View.from_array(stored, **(declared | changed))


def changed_pixel():
    stored = pixels("1", "L", "CC")
    stored[12, 3] += 1
    return stored


def changed_region():
    region = np.zeros((24, 20), dtype=bool)
    region[5, 5] = True
    return region


def table(entry):
    values = np.linspace(0, 1, 4096, dtype=np.float32)
    values[2000] = entry
    return Table(first=0, values=values)


@pytest.mark.parametrize(
    "changed",
    [
        {"stored": changed_pixel()},
        {"stored": pixels("1", "L", "CC").reshape(20, 24), "region": None},
        {"pixel_spacing_mm": (0.1, 0.2)},
        {"side": "R"},
        {"position": "MLO"},
        {"chest_wall": "right"},
        {"intent": "FOR PROCESSING"},
        {"intensity_range": (0.0, 65534.0)},
        {"voi": ()},
        {"voi": (replace(WINDOW, width=51),)},
        {"voi": (WINDOW, WINDOW)},
        {"voi": (table(0.25),)},
        {"region": None},
        {"region": changed_region()},
    ],
)
def test_a_view_has_another_digest_with_other(changed):
    assert pixels_digest(view()) == pixels_digest(view())
    assert pixels_digest(view(**changed)) != pixels_digest(view())


def test_tables_that_differ_in_their_middle_differ():
    """A long array's repr leaves out its middle."""
    assert pixels_digest(view(voi=(table(0.25),))) != pixels_digest(view(voi=(table(0.75),)))
    assert pixels_digest(view(voi=(table(0.25),))) == pixels_digest(view(voi=(table(0.25),)))


@pytest.mark.parametrize("changed", [{"exam_id": "2"}, {"notes": {"format": "PNG"}}])
def test_a_view_has_the_same_digest_with_other(changed):
    assert pixels_digest(view(**changed)) == pixels_digest(view())


def source(path, **changed):
    stated = {"exam_id": "1", "side": "L", "position": "CC", "pixel_spacing_mm": (0.1, 0.1), "origin": "a.csv, row 2"}
    return ViewFile(path=path, **(stated | changed))


def test_a_file_is_known_by_where_and_what_it_is(tmp_path):
    path, other = tmp_path / "1.png", tmp_path / "2.png"
    path.write_bytes(b"pixels")
    shutil.copy2(path, other)
    known = file_digest(source(path))
    assert file_digest(source(path, exam_id="2", origin="a.csv, row 7")) == known, "another row of the manifest"
    assert file_digest(source(Path(path.parent, ".", path.name))) == known
    others = [
        source(other),
        source(path, side="R"),
        source(path, position="MLO"),
        source(path, pixel_spacing_mm=(0.1, 0.2)),
        source(path, intensity_low=1.0),
        source(path, intensity_high=4095.0),
        source(path, noise_gain=1.5),
        source(path, roi_path=other),
    ]
    digests = [file_digest(each) for each in others]
    assert len({known, *digests}) == len(others) + 1
    path.write_bytes(b"pixel2")
    assert file_digest(source(path)) != known, "a file of another time"
    other.write_bytes(b"pixels, more of them")
    assert file_digest(source(path, roi_path=other)) not in digests


def test_what_is_no_file_or_gone_has_no_digest(tmp_path):
    assert file_digest(view()) is None
    assert file_digest(source(tmp_path / "gone.png")) is None


def key(**changed):
    given = {
        "unit": [b"first view", b"second view"], "side": "L", "exam_id": "1", "condition": Condition("lowpass", 0.5),
        "seed": 0, "classifier": "abc", "precision": "fp32",
    }  # fmt: skip
    return score_key(**(given | changed))


def test_a_key_does_not_depend_on_what_decides_nothing():
    assert key(unit=[b"second view", b"first view"]) == key(), "the order of the views in the manifest"
    assert key(seed=1) == key(), "a filter draws nothing"
    assert key(exam_id="2") == key()
    assert key(condition=CLEAN, seed=1, exam_id="2") == key(condition=CLEAN)
    rotation = Condition("rotation", 5)
    assert key(condition=rotation) == key(condition=Condition("rotation", 5.0))


def test_a_key_depends_on_what_decides_a_score(monkeypatch):
    noise = Condition("gaussian_noise", 0.02)
    keys = [
        key(),
        key(unit=[b"first view"]),
        key(unit=[b"first view", b"third view"]),
        key(side="R"),
        key(condition=CLEAN),
        key(condition=Condition("lowpass", 0.6)),
        key(condition=Condition("contrast", 0.5)),
        key(classifier="abd"),
        key(precision="bf16"),
        key(condition=noise),
        key(condition=noise, seed=1),
        key(condition=noise, exam_id="2"),
    ]
    newer = replace(PERTURBATIONS["lowpass"], version=PERTURBATIONS["lowpass"].version + 1)
    monkeypatch.setattr("mammo_fixtures.scoring.keys.PERTURBATIONS", {"lowpass": newer})
    keys.append(key())
    assert len(set(keys)) == len(keys)

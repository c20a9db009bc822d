"""Keys change with everything that decides a score, and with nothing else."""

import shutil
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from mammo_fixtures import PERTURBATIONS, Classifier, View
from mammo_fixtures.classifiers.fingerprint import fingerprint
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Table, ViewFile, Window
from mammo_fixtures.exams.remote_file import RemoteFile
from mammo_fixtures.perturbations.record import Perturbation
from mammo_fixtures.scoring import CLEAN, Condition
from mammo_fixtures.scoring.cell_keys import CellKeys
from mammo_fixtures.scoring.keys import file_digest, pixels_digest, score_key
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests.tiny_cohort import Pattern, in_memory, pixels, view_level

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


CHANGED = [
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
    {"intent": "FOR PROCESSING", "noise_gain": 1.5},
    {"intent": "FOR PROCESSING", "noise_gain": 1.6},
]


@pytest.mark.parametrize("changed", CHANGED)
def test_a_view_has_another_digest_with_other(changed):
    assert pixels_digest(view()) == pixels_digest(view())
    assert pixels_digest(view(**changed)) != pixels_digest(view())


def test_no_two_of_these_views_have_one_digest():
    assert len({pixels_digest(view(**changed)) for changed in CHANGED}) == len(CHANGED)


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


def test_a_file_elsewhere_is_known_where_its_content_has_a_mark(tmp_path):
    path, marked = tmp_path / "1.png", RemoteFile("memory://site/1.png", mark="6 bytes, tag 1")
    path.write_bytes(b"pixels")
    unmarked = RemoteFile("memory://site/1.png")
    digests = [
        file_digest(source(marked)),
        file_digest(source(RemoteFile("memory://site/1.png", mark="6 bytes, tag 2"))),
        file_digest(source(path, roi_path=marked)),
    ]
    assert len({*digests, None}) == 4
    for one in (source(unmarked), source(path, roi_path=unmarked), source(unmarked, roi_path=marked)):
        assert file_digest(one) is None


GIVEN = {
    "unit": [b"first view", b"second view"], "side": "L", "exam_id": "1", "condition": Condition("lowpass", 0.5),
    "seed": 0, "classifier": "abc", "precision": "fp32", "device": "cpu",
}  # fmt: skip


def key(**changed):
    return score_key(**(GIVEN | changed))


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
        key(device="cuda"),
        key(also=b"which way the gradient was followed"),
        key(condition=noise),
        key(condition=noise, seed=1),
        key(condition=noise, exam_id="2"),
    ]
    newer = replace(PERTURBATIONS["lowpass"], version=PERTURBATIONS["lowpass"].version + 1)
    monkeypatch.setattr("mammo_fixtures.scoring.keys.PERTURBATIONS", {"lowpass": newer})
    keys.append(key())
    assert len(set(keys)) == len(keys)


def names(kind):
    return {each.name for each in dataclass_fields(kind)} - {"_"}


def test_nothing_that_a_key_is_made_from_was_forgotten_here():
    """Whoever adds a field decides whether it decides a score, and says so in one of these lists."""
    of_pixels = {"pixels", "pixel_spacing_mm", "side", "position", "intensity_range", "chest_wall", "intent",
                 "noise_gain", "voi", "region"}  # fmt: skip
    assert names(View) == of_pixels | {"exam_id", "notes"}
    assert of_pixels == {name.replace("stored", "pixels") for changed in CHANGED for name in changed}
    of_a_file = {"side", "position", "path", "pixel_spacing_mm", "intensity_low", "intensity_high", "noise_gain",
                 "roi_path"}  # fmt: skip
    assert names(ViewFile) == of_a_file | {"exam_id", "origin", "hidden"}
    assert set(signature(score_key).parameters) == set(GIVEN) | {"also"}
    raises_the_version = {"apply", "parameter", "unit", "nothing", "shares", "needs", "averages", "redeclare"}
    decides_which_are_scored_or_shown = {"severities", "valid", "source", "unit_label", "integer_digits", "decimals",
                                         "set", "ladder", "may_cancel", "may_cancel_from", "subset", "flag",
                                         "notes"}  # fmt: skip
    assert names(Perturbation) == {
        "name", "version", "keyed", *raises_the_version, *decides_which_are_scored_or_shown
    }  # fmt: skip
    assert names(Classifier) == {"network", *OTHER_DECLARATIONS, *DECIDES_NO_SCORE}


DECIDES_NO_SCORE = {"name": "other", "notes": {"trained": "elsewhere"}, "cancels": ("contrast",)}
OTHER_DECLARATIONS = {
    "level": "exam", "score": "logit", "aggregate": "max", "input_size": (8, 8), "fit": "pad", "pixel_spacing_mm": 0.1,
    "intensity": (0.0, 255.0), "integers": True, "voi": True, "chest_wall": "left", "channels": 3, "views": ("L-CC",),
    "missing_views": "blank", "fingerprint": "2",
}  # fmt: skip


def test_a_classifier_is_another_one_with_other_weights_code_or_declaration():
    class Other(Pattern):
        pass

    known = fingerprint(Classifier(Pattern(), name="pattern"))
    assert fingerprint(Classifier(Pattern(), name="pattern")) == known
    for name, value in DECIDES_NO_SCORE.items():
        assert fingerprint(Classifier(Pattern(), **({"name": "pattern"} | {name: value}))) == known, name
    declared = {name: {name: value} for name, value in OTHER_DECLARATIONS.items()}
    declared["integers"] |= {"intensity": (0.0, 4095.0)}
    others = [fingerprint(Classifier(Pattern(), name="pattern", **each)) for each in declared.values()]
    others += [fingerprint(Classifier(network, name="pattern")) for network in (Pattern(gain=2.0), Other())]
    assert len({known, *others}) == len(others) + 1


def test_a_pass_puts_into_its_keys_what_decides_its_scores():
    """End to end: another setting of the pass is another key, for the scores it decides and for no others."""
    conditions = (CLEAN, Condition("lowpass", 1.0), Condition("gaussian_noise", 0.05))
    exam = in_memory(1).exams[0]

    def keys(*, seed=0, name="abc", device="", **inference):
        sweep = Sweep(inference=Inference(view_level(), device="cpu", **inference), seed=seed)
        needs = Needs(cohort=in_memory(1), classifier=view_level(), seed=seed)
        made = CellKeys(sweep=sweep, needs=needs, conditions=conditions, fingerprint=name, device=device)
        return made.of(exam, lambda source: source.read())

    def moved(**other):
        mine, theirs = keys(), keys(**other)
        return {condition.perturbation for (side, condition), key in mine.items() if theirs[side, condition] != key}

    everything = {condition.perturbation for condition in conditions}
    assert moved() == moved(device="cpu") == set()
    assert moved(seed=1) == {"gaussian_noise"}
    assert moved(name="abd") == moved(device="cuda") == moved(precision="bf16") == everything
    assert moved(speed=("channels_last",)) == everything
    assert moved(speed=("allocator",)) == set(), "how memory is kept decides no score"

"""Drawn manifests, score tables, tolerances, regions and stores: what is written is read, and nothing else."""

import csv
import json
import sqlite3
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.manifest import read_cohort
from mammo_fixtures.exams.region import read_region
from mammo_fixtures.given import given as given_file
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.tests.drawn import examples
from mammo_fixtures.verdicts import read_tolerances

PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
QUOTED = st.text("a ,;'\"\\#=", min_size=1, max_size=12).filter(str.strip)
ANY = st.text(st.characters(codec="utf-8"), max_size=12)
"""Whatever UTF-8 can write, control characters and marks of direction among it."""
TEXT = st.one_of(*[PLAIN] * 8, *[QUOTED] * 8, ANY)
LABELS = {"1": True, "0": False, "": None}


def read_or_told(read, *arguments):
    """What was read, or None and one printable line; any other exception is a fault."""
    try:
        return read(*arguments), ""
    except UnusableInput as refusal:
        return None, str(refusal)


@st.composite
def manifests(draw, text):
    """Rows of breasts with two views each: (exam, side, view, label, subgroup, density)."""
    exams = draw(st.lists(text, min_size=1, max_size=4, unique=True))
    rows = []
    for exam in exams:
        for side in draw(st.sampled_from(["L", "R", "LR"])):
            about = [draw(st.sampled_from(["0", "1", ""])), draw(st.one_of(st.just(""), text)), draw(text)]
            rows += [[exam, side, view, *about] for view in ("CC", "MLO")]
    return draw(st.permutations(rows))


def write_manifest(folder, rows):
    path = folder / "site.csv"
    (folder / "a.png").write_bytes(given_file("dicom/phantom.png").read_bytes())
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["exam_id", "side", "view", "malignant", "subgroup", "density", "path", "pixel_spacing_mm"])
        writer.writerows([*row, "a.png", "0.07"] for row in rows)
    return path


def said_of(cohort):
    return {
        (b.exam_id, b.side, view.position): (b.malignant, b.subgroup, b.strata["density"])
        for exam in cohort.exams
        for b in exam.breasts
        for view in b.views
    }


def meant(rows):
    return {tuple(row[:3]): (LABELS[row[3]], row[4], row[5]) for row in rows}


@examples(80)
@given(rows=manifests(PLAIN))
def test_a_manifest_of_plain_text_is_read_as_it_was_written(rows, tmp_path):
    assert said_of(read_cohort(write_manifest(tmp_path, rows))) == meant(rows)


@examples(150)
@given(rows=manifests(TEXT))
def test_a_manifest_of_any_text_is_read_as_it_was_written_or_refused(rows, tmp_path):
    """Spaces round a value are no part of it: what is read is the value without them."""
    cohort, said = read_or_told(read_cohort, write_manifest(tmp_path, rows))
    assert said.isprintable()
    if cohort is not None:
        assert said_of(cohort) == meant([[text.strip() for text in row] for row in rows])


@examples(80)
@given(
    rows=manifests(PLAIN),
    at=st.integers(0, 99),
    column=st.integers(0, 5),
    other=st.sampled_from(["1", "0", "", "L", "R", "CC", "x"]),
)
def test_one_other_cell_of_a_manifest_is_seen(rows, at, column, other, tmp_path):
    """The label of a breast stands in both of its rows, so that one of them alone cannot change it."""
    changed = [list(row) for row in rows]
    changed[at % len(rows)][column] = other
    cohort, _ = read_or_told(read_cohort, write_manifest(tmp_path, changed))
    if changed[at % len(rows)] == list(rows[at % len(rows)]):
        assert cohort is not None
    elif column >= 3:
        assert cohort is None
    elif cohort is not None:
        assert said_of(cohort) == meant(changed) != meant(rows)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SEVERITIES = st.floats(0.001, 1e6)


@st.composite
def score_tables(draw):
    names = draw(st.lists(PLAIN, min_size=1, max_size=4, unique=True))
    ladder = draw(st.lists(SEVERITIES, max_size=3, unique=True))
    readers = tuple(draw(st.lists(PLAIN, min_size=1, max_size=3, unique=True)))
    conditions = (CLEAN, *(Condition("lowpass", severity) for severity in ladder))
    count = len(conditions) * len(names) * len(readers)
    scores = draw(st.lists(NUMBERS, min_size=count, max_size=count))
    texts = [draw(st.lists(st.one_of(st.just(""), PLAIN), min_size=len(names), max_size=len(names))) for _ in range(3)]
    return ScoreTable(
        conditions=conditions,
        readers=readers,
        scores=np.array(scores).reshape(len(conditions), len(names), len(readers)),
        exam_id=np.array(names),
        side=np.array([draw(st.sampled_from("LR")) for _ in names]),
        malignant=np.array([draw(st.sampled_from([1, 0, -1])) for _ in names], np.int8),
        subgroup=np.array(texts[0], np.str_),
        patient_id=np.array(texts[1], np.str_),
        strata={"density": np.array(texts[2], np.str_)},
    )


@pytest.mark.parametrize("name", ["scores.csv", "scores.csv.gz", "scores.parquet"])
@examples(40)
@given(table=score_tables())
def test_a_score_table_is_read_to_the_last_bit(table, name, tmp_path):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    table.write(tmp_path / name)
    read = ScoreTable.read(tmp_path / name)
    assert (read.conditions, read.readers) == (table.conditions, table.readers)
    # Parquet's dictionaries hold one zero for both signs.
    assert (read.scores + 0.0).tobytes() == (table.scores + 0.0).tobytes()
    for column in ("exam_id", "side", "malignant", "subgroup", "patient_id"):
        assert getattr(read, column).tolist() == getattr(table, column).tolist(), column
    assert read.strata["density"].tolist() == table.strata["density"].tolist()
    assert read.fingerprint == table.fingerprint


@examples(60)
@given(table=score_tables(), at=st.integers(0, 999), label=st.sampled_from(["0", "1", ""]))
def test_one_other_label_of_a_score_table_is_seen(table, at, label, tmp_path):
    path = tmp_path / "scores.csv"
    table.write(path)
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    at %= len(rows)
    same = rows[at][2] == label
    alone = sum(row[:2] == rows[at][:2] for row in rows) == 1
    rows[at][2] = label
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    read, said = read_or_told(ScoreTable.read, path)
    if same:
        assert read.fingerprint == table.fingerprint
    elif alone:
        assert read.fingerprint != table.fingerprint
    else:
        assert "malignant must be the same in all rows of a breast" in said


TOLERANCES = st.fixed_dictionaries(
    {
        "claim": st.sampled_from(["holds", "responds"]),
        "perturbation": st.sampled_from(["lowpass", "contrast"]),
        "margin": st.one_of(*[st.floats(0.001, 1)] * 6, st.floats(-0.5, 1.5), st.integers(-1, 2)),
        "reason": TEXT,
    },
    optional={
        "subgroup": TEXT,
        "severities": st.lists(st.one_of(*[st.floats(0.2, 0.9)] * 9, st.floats(0.1, 40)), min_size=1, max_size=3),
        "metric": st.sampled_from([*["auc", "sensitivity", "ece"] * 4, "AUC"]),
        "confidence": st.one_of(*[st.floats(0.51, 0.99)] * 6, st.floats(0, 1.2)),
        "inconclusive": st.sampled_from([*["fail", "warn"] * 6, "pass"]),
        "not_run": st.sampled_from([*["fail", "allow"] * 6, "warn"]),
    },
)


def toml(value):
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)


@examples(300)
@given(tables=st.lists(TOLERANCES, min_size=1, max_size=3))
def test_tolerances_are_read_as_they_were_written_or_refused(tables, tmp_path):
    """No key is dropped and no number bent on the way to a verdict."""
    path = tmp_path / "mine.toml"
    lines = [line for table in tables for line in ("[[tolerance]]", *(f"{k} = {toml(v)}" for k, v in table.items()))]
    path.write_text("\n".join(lines), encoding="utf-8")
    read, said = read_or_told(read_tolerances, path)
    assert said.isprintable()
    if read is None:
        return
    assert len(read) == len(tables)
    for tolerance, table in zip(read, tables, strict=True):
        assert 0 < table["margin"] <= 1
        assert 0.5 < table.get("confidence", 0.95) < 1
        defaults = {field.name: field.default for field in fields(tolerance) if field.name in ("subgroup", "metric")}
        for key, value in (defaults | table).items():
            assert getattr(tolerance, key) == (tuple(value) if key == "severities" else value), key


def test_a_plain_tolerance_is_among_those_that_are_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[tolerance]]\nclaim = "holds"\nperturbation = "lowpass"\nmargin = 0.05\nreason = "large"\n')
    assert read_tolerances(path)[0].margin == 0.05


CORNER = st.tuples(st.integers(0, 29), st.integers(0, 39))


@examples(100)
@given(corners=st.lists(CORNER, min_size=3, max_size=3, unique=True))
def test_a_region_is_what_its_outline_encloses(corners, tmp_path):
    """Of a triangle: every pixel well inside, none that is well outside, by signed distances to its three sides."""
    path = tmp_path / "region.json"
    path.write_text(json.dumps([corners]))
    region = read_region(path, (30, 40))
    points = np.stack(np.mgrid[:30, :40], -1).astype(float)
    a, b, c = np.array(corners, float)
    area = np.cross(np.append(b - a, 0), np.append(c - a, 0))[2]
    if area == 0:
        assert region[tuple(np.array(corners).T)].all()
        return
    distances = []
    for start, end in ((a, b), (b, c), (c, a)):
        along = end - start
        across = points - start
        distances.append(np.sign(area) * (along[0] * across[..., 1] - along[1] * across[..., 0]) / np.hypot(*along))
    inside = np.min(distances, axis=0)
    assert region[inside > 1].all()
    assert not region[inside < -1.02].any()  # 1.01 with Pillow 10, .94 with 13


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-100, 100), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=12,
)


@examples(150)
@given(content=JSON)
def test_any_json_is_a_region_or_refused(content, tmp_path):
    path = tmp_path / "region.json"
    path.write_text(json.dumps(content))
    region, said = read_or_told(read_region, path, (30, 40))
    assert said.isprintable()
    assert region is None or (region.shape, region.dtype) == ((30, 40), np.bool_)
    if region is not None and region.any():
        assert isinstance(content, list), "only a list of outlines draws anything"


ROWS = st.dictionaries(st.binary(min_size=20, max_size=20), NUMBERS, min_size=1, max_size=8)


@examples(60)
@given(rows=ROWS, damage=st.sampled_from(["score", "key", "guard", "type"]), at=st.integers(0, 7), other=NUMBERS)
def test_a_store_gives_what_it_was_given_and_no_row_that_was_changed(rows, damage, at, other, tmp_path):
    path = tmp_path / "scores.sqlite"
    path.unlink(missing_ok=True)
    store = Store(path)
    store.keep(rows.items())
    assert store.scores(list(rows)) == rows
    store.close()
    key = sorted(rows)[at % len(rows)]
    if damage == "score" and other == rows[key]:
        return
    change = {
        "score": ("score = ?", other), "key": ("key = ?", bytes(21)), "guard": ("guard = guard + ?", 1),
        "type": ("score = ?", "0.5"),
    }[damage]  # fmt: skip
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE scores SET {change[0]} WHERE key = ?", (change[1], key))
    db.close()
    store = Store(path)
    read = store.scores([*rows, bytes(21)])
    store.close()
    assert read == {k: score for k, score in rows.items() if k != key}

"""Blocks that are no commands: each is read by the code that reads such a file, or run as Python."""

from __future__ import annotations

import csv
import io
import json
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mammo_fixtures import ScoreTable, read_cohort, read_tolerances
from mammo_fixtures.classifiers.declaration import checked
from mammo_fixtures.exams.intake.labels import KEYS, read_labels
from mammo_fixtures.exams.tests.dicom_writer import data_set, phantom, write
from mammo_fixtures.plugin.command import project_options
from mammo_fixtures.tests.pages.blocks import Block


def read_python(block: Block, folder: Path, names: dict[str, Any]) -> None:
    """Run it in the names that the page has made so far; a titled one is a file of that name as well."""
    compiled = compile(block.text, str(block), "exec")
    if block.title:
        (folder / block.title).write_text(block.text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries: they fail no reader's run either
        exec(compiled, names)


def read_toml(block: Block, folder: Path, names: dict[str, Any]) -> None:
    """Tolerances, a classifier's declaration, or keys of pyproject.toml."""
    content = tomllib.loads(block.text)
    target = folder / (block.title or "read.toml")
    if "tolerance" in content:
        target.write_text(block.text)
        assert read_tolerances(target)
    elif "tool" in content:
        place = folder / "read"
        place.mkdir(exist_ok=True)
        (place / "pyproject.toml").write_text(block.text)
        assert project_options(place)
    else:
        checked(content, str(block))
        if block.title:
            target.write_text(block.text)


def read_csv(block: Block, folder: Path, names: dict[str, Any]) -> None:
    """A manifest, a table of labels or of scores, read as such; the images that a manifest names are made."""
    place = folder / "read"
    place.mkdir(exist_ok=True)
    path = place / "read.csv"
    path.write_text(block.text)
    rows = list(csv.DictReader(io.StringIO(block.text)))
    columns = set(rows[0])
    if "path" in columns:
        for row in rows:
            _make_image(place / row["path"], row)
        for exam in read_cohort(path).exams:
            for view in exam.views:
                assert view.read().pixels.ndim == 2
    elif "score" in columns:
        assert ScoreTable.read(path)
    else:
        assert columns & set(KEYS), f"{block}: no table that the suite reads"
        assert read_labels(path).rows
    if block.title and not (folder / block.title).exists():
        (folder / block.title).write_text(block.text)


def _make_image(path: Path, row: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(np.full((64, 48), 50_000, np.uint16)).save(path)
    else:
        write(data_set(phantom(12), bits=12, ImageLaterality=row["side"], ViewPosition=row["view"]), path)


def read_json(block: Block, folder: Path, names: dict[str, Any]) -> None:
    """JSON; a declaration in it is one."""
    content = json.loads(block.text)
    if "declaration" in content:
        checked(content["declaration"], str(block))


READERS: dict[str, Callable[[Block, Path, dict[str, Any]], None]] = {
    "python": read_python,
    "toml": read_toml,
    "csv": read_csv,
    "json": read_json,
}

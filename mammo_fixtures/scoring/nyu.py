"""`python -m mammo_fixtures.scoring.nyu predictions.csv --exams=data.pkl -o scores.csv`: a score table from NYU's.

Breast level: `left_malignant` and `right_malignant`, a row an exam in the order of the list, as
github.com/nyukat/breast_cancer_classifier writes it. Image level: `image_index` and `malignant_pred`, as GMIC does.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.manifest_rows import Row, read_rows
from mammo_fixtures.exams.nyu_list import WORDS, ListedExam, read_exam_list
from mammo_fixtures.scoring.score_table import COLUMNS, ScoreTable

BREAST_LEVEL = ("left_malignant", "right_malignant")
IMAGE_LEVEL = ("image_index", "malignant_pred")
Scores = dict[tuple[str, str], float]
"""By exam and side."""


def breast_scores(path: Path, exams: Sequence[ListedExam], aggregate: str = "mean") -> Scores:
    """The malignancy of every breast of the list that a table of predictions scores. Raises UnusableInput."""
    columns, rows = read_rows(path)
    if set(BREAST_LEVEL) <= set(columns):
        return _by_breast(path, rows, exams)
    if set(IMAGE_LEVEL) <= set(columns):
        return _by_image(path, rows, exams, aggregate)
    raise UnusableInput(
        f"{path.name}: predictions need the columns {' and '.join(BREAST_LEVEL)}, or {' and '.join(IMAGE_LEVEL)}; "
        f"got {', '.join(columns)}"
    )


def _by_breast(path: Path, rows: Sequence[Row], exams: Sequence[ListedExam]) -> Scores:
    if len(rows) != len(exams):
        raise UnusableInput(
            f"{path.name}: breast-level predictions must have a row for each exam of the list, in its order, got "
            f"{len(rows)} rows for {len(exams)} exams; give the list they were made from"
        )
    for row, exam in zip(rows, exams, strict=True):
        if row.get("index") not in ("", exam.exam_id):
            raise UnusableInput(
                f"{row.origin}: index must be the exam's place in the list, {exam.exam_id}, got {row['index']!r}"
            )
    return {
        (exam.exam_id, side): _score(row, f"{word}_malignant")
        for row, exam in zip(rows, exams, strict=True)
        for side, word in WORDS.items()
        if any(view[0] == side for view in exam.images)
    }


def _by_image(path: Path, rows: Sequence[Row], exams: Sequence[ListedExam], aggregate: str) -> Scores:
    given: dict[str, Row] = {}
    for row in rows:
        if row["image_index"] in given:
            raise UnusableInput(
                f"{row.origin}: an image has one prediction, but it stands in row {_of(given, row)} too; keep one"
            )
        given[row["image_index"]] = row
    values: dict[tuple[str, str], list[float]] = {}
    for exam in exams:
        for view, names in exam.images.items():
            # GMIC scores the first image of a view only; further ones count where they are scored.
            if names[0] not in given:
                raise UnusableInput(
                    f"{path.name}: every view must have a prediction, exam {exam.exam_id}, {view} has none; "
                    "give the list they were made from"
                )
            found = [_score(given.pop(name), "malignant_pred") for name in names if name in given]
            values.setdefault((exam.exam_id, view[0]), []).extend(found)
    if given:
        numbers = sorted(row.number for row in given.values())
        raise UnusableInput(
            f"{path.name}, row {numbers[0]}: every prediction must be of an image of the list, {len(numbers)} are not; "
            "give the list they were made from"
        )
    return {breast: max(each) if aggregate == "max" else sum(each) / len(each) for breast, each in values.items()}


def _of(given: Mapping[str, Row], row: Row) -> int:
    return given[row["image_index"]].number


def _score(row: Row, column: str) -> float:
    value = row.number_or_none(column)
    if value is None or not 0 <= value <= 1 or math.isnan(value):
        raise UnusableInput(f"{row.origin}: {column} must be a probability in [0, 1], got {row.get(column)!r}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m mammo_fixtures.scoring.nyu", description=__doc__.splitlines()[0])
    parser.add_argument("predictions", type=Path, metavar="predictions.csv")
    parser.add_argument("--exams", type=Path, required=True, metavar="data.pkl", help="the pickled exam list")
    parser.add_argument("--aggregate", choices=("mean", "max"), default="mean", help="over images of a breast [mean]")
    parser.add_argument("--perturbation", default="clean", help="which these images were under [clean]")
    parser.add_argument("--severity", type=float, default=0.0)
    parser.add_argument("--reader", default="nyu", help="a name for this classifier, or its training seed")
    parser.add_argument("--append", action="store_true", help="add to a .csv table that is there")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="scores.csv")
    given = parser.parse_args(arguments)
    try:
        count = _write(given)
    except UnusableInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{count} scores of {given.perturbation} {given.severity:g}; written: {given.output}")
    return 0


def _write(given: argparse.Namespace) -> int:
    exams = read_exam_list(given.exams)
    scores = breast_scores(given.predictions, exams, given.aggregate)
    labels = {(exam.exam_id, side): exam.malignant[side] for exam in exams for side in WORDS}
    output: Path = given.output
    if output.suffix != ".csv":
        raise UnusableInput(f"the score table must be called .csv, got {output.name!r}")
    if output.exists() and not given.append:
        raise UnusableInput(f"{output.name} is there already; remove it, or give --append")
    before = output.read_text(encoding="utf-8") if output.exists() else ""
    with output.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not before:
            writer.writerow(COLUMNS)
        for (exam_id, side), score in scores.items():
            label = labels[exam_id, side]
            severity = f"{given.severity:g}"
            writer.writerow((exam_id, side, label, "", given.perturbation, severity, given.reader, repr(score)))
    if before or given.perturbation == "clean":
        try:
            ScoreTable.read(output)
        except UnusableInput:
            output.write_text(before, encoding="utf-8") if before else output.unlink()
            raise
    return len(scores)


if __name__ == "__main__":
    sys.exit(main())

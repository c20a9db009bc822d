"""`python -m mammo_fixtures.exams.nyu data.pkl --images=DIR -o site.csv`: a manifest from an NYU exam list."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.manifest import read_cohort
from mammo_fixtures.exams.nyu_list import ListedExam, read_exam_list
from mammo_fixtures.exams.roots import outside_said

COLUMNS = ("exam_id", "side", "view", "path", "malignant", "subgroup", "pixel_spacing_mm")


def manifest_rows(exams: Sequence[ListedExam], images: str, spacing_mm: float) -> list[tuple[str, ...]]:
    """One row a view; several images of a view are CC, CC.2 …"""
    return [
        (
            exam.exam_id,
            view[0],
            view[2:] if not number else f"{view[2:]}.{number + 1}",
            f"{images}/{name}.png",
            exam.malignant[view[0]],
            "",
            f"{spacing_mm:g}",
        )
        for exam in exams
        for view, names in exam.images.items()
        for number, name in enumerate(names)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m mammo_fixtures.exams.nyu", description=__doc__.partition(": ")[2])
    parser.add_argument("list", type=Path, metavar="data.pkl", help="the pickled exam list")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="the folder of its PNG files")
    parser.add_argument(
        "--pixel-spacing-mm", type=float, required=True, metavar="MM", help="which the PNG files do not state: 0.07"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="site.csv")
    given = parser.parse_args(arguments)
    try:
        exams = read_exam_list(given.list)
        if given.output.exists():
            raise UnusableInput(f"{given.output.name} is there already and may have been edited; remove it")
        folder = Path(os.path.relpath(given.images, given.output.parent)).as_posix()
        rows = manifest_rows(exams, folder, given.pixel_spacing_mm)
        with given.output.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows)
        cohort = read_cohort(given.output, allow_outside=[str(given.images)])
    except UnusableInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    malignant = sum(bool(breast.malignant) for breast in cohort.breasts)
    print(f"{len(cohort)} exams, {len(rows)} views, {malignant} malignant breasts; written: {given.output}")
    for line in outside_said(given.images, given.output):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m mammo_fixtures.exams.phantoms DIR --seed=TEXT`: phantoms that nobody has seen, and their manifest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.phantoms.cohort_files import phantom_cohort
from mammo_fixtures.exams.phantoms.recipe import read_recipe


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m mammo_fixtures.exams.phantoms",
        description="Write phantom exams of a seed of your own, and print the path of their manifest.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="where they are written, in a folder of their own")
    parser.add_argument("--seed", required=True, metavar="TEXT", help="any text: another one gives other phantoms")
    parser.add_argument("--exams", type=int, metavar="N", help="how many: of five, two breasts of either lesion [200]")
    given = parser.parse_args(arguments)
    try:
        recipe = read_recipe().fresh(given.seed, given.exams)
        manifest = phantom_cohort(recipe, given.folder)
    except UnusableInput as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print(manifest)
    return 0


if __name__ == "__main__":
    sys.exit(main())

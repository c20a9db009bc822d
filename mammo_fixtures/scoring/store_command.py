"""`python -m mammo_fixtures.scoring.store`: looks after a store from the command line."""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.store import DAY_SECONDS, Store
from mammo_fixtures.scoring.store_care import contents, prune, rows, verify
from mammo_fixtures.scoring.store_file import DEFAULT_FOLDER
from mammo_fixtures.whole_file import whole

DEFAULT = f"{DEFAULT_FOLDER}/scores.sqlite"


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 where `verify` found damage; 2 where the store cannot be used."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.store.is_file():
        print(f"store {given.store}: no such file; give one, as in: {given.action} site.sqlite", file=sys.stderr)
        return 2
    store = None
    try:
        store = Store(given.store)
        return int(given.run(store, given))
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if store is not None:
            store.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mammo_fixtures.scoring.store", description="Lists, verifies, exports and prunes a score store."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, run, what in (
        ("list", _list, "what the store holds, and the passes of the last days"),
        ("verify", _verify, "read every row and its guard; exit status 1 where one is damaged"),
        ("export", _export, "write keys and scores as CSV"),
        ("prune", _prune, "delete scores that were not used for some days, and damaged rows"),
    ):
        action = actions.add_parser(name, help=what, description=what)
        action.add_argument("store", nargs="?", type=Path, default=Path(DEFAULT), help=f"the file [{DEFAULT}]")
        action.set_defaults(run=run)
        if name == "export":
            action.add_argument("--to", type=Path, required=True, metavar="CSV", help="the file to write")
        if name == "prune":
            action.add_argument(
                "--unused-days", type=_days, required=True, metavar="N", help="keep what a run used within N days"
            )
    return parser


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days < math.inf:
        raise argparse.ArgumentTypeError("must be a number of days, 0 or more")
    return days


def _list(store: Store, given: argparse.Namespace) -> int:
    held = contents(store)
    print(f"store {store.path}: schema {held.schema}, {held.bytes / 1e6:,.1f} MB")
    print(f"{held.scores:,} scores, {held.files:,} files with known pixels")
    for each in held.passes:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.started))
        # Ray's chunks are not leased: such a pass is known by its scores only.
        short = each.cells - each.computed - each.found
        left = f"{each.open_chunks} chunks open" if each.open_chunks else f"{short:,} missing" if short else "complete"
        print(f"pass of {when}: {each.cells:,} scores, {each.computed:,} computed, {each.found:,} found, {left}")
    return 0


def _verify(store: Store, given: argparse.Namespace) -> int:
    found = verify(store)
    if not found.damaged and not found.complaints:
        print(f"store {store.path}: {found.sound:,} rows are sound")
        return 0
    for complaint in found.complaints:
        print(complaint)
    counted = f"store {store.path}: {found.sound:,} rows are sound, {found.damaged:,} damaged"
    if found.complaints:
        print(f"{counted}, and the file itself is; delete it (its scores are computed again)")
    else:
        print(f"{counted}; the next run computes those again, and prune deletes them")
    return 1


def _export(store: Store, given: argparse.Namespace) -> int:
    if given.to.exists() and given.to.samefile(store.path):
        print(
            f"{given.to}: must be another file than the store itself; give one, as in: --to=scores.csv", file=sys.stderr
        )
        return 2
    try:
        with whole(given.to) as partial, partial.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["key", "score"])
            count = 0
            for key, score in rows(store):
                writer.writerow([key.hex(), repr(score)])
                count += 1
    except OSError as error:
        print(f"{given.to}: must be a file that can be written, got: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{count:,} scores written to {given.to}; damaged rows are left out")
    return 0


def _prune(store: Store, given: argparse.Namespace) -> int:
    deleted, left = prune(store, before=time.time() - given.unused_days * DAY_SECONDS)
    print(f"store {store.path}: {deleted:,} scores deleted, {left:,} left")
    return 0

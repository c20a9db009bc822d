"""The store: scores kept in SQLite, so that nothing already computed is computed again or lost."""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mammo_fixtures.scoring.store_file import StoreFile

LEASE_SECONDS = 60.0
DAY_SECONDS = 24 * 3600
_FORGET_PASSES_SECONDS = 7.0 * DAY_SECONDS
_LOOK_UP = 500
"""Keys a query: SQLite's oldest limit on bound values is 999."""


class Store:
    """Scores by key, pixel digests by file, and who computes which chunk of a pass. Safe with many processes."""

    def __init__(self, path: Path) -> None:
        self._file = StoreFile(path)

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def file(self) -> StoreFile:
        """For what looks after the store as a whole."""
        return self._file

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Scores

    def scores(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        """The scores known for these keys; rows whose guard does not fit are as good as absent."""
        found: dict[bytes, float] = {}
        with self._file.answering():
            for some, marks in _portions(keys):
                for key, score, guard in self._file.db.execute(
                    f"SELECT key, score, guard FROM scores WHERE key IN ({marks})", some
                ):
                    if is_sound(key, score, guard):
                        found[key] = score
        return found

    def keep(self, rows: Iterable[tuple[bytes, float]], *, pass_name: str = "", found: int = 0) -> None:
        """Write the scores that are not there yet, or damaged; counts them for the progress of a pass.

        What is there stays: two processes that computed the same score then both read the first one's.
        """
        # SQLite keeps −0 as 0, which would then not fit its guard; adding 0 makes it 0 before.
        guarded = [(key, score + 0.0, guard_of(key, struct.pack("<d", score + 0.0))) for key, score in rows]
        with self._file.answering(), self._file.transaction():
            known = self.scores([key for key, _, _ in guarded])
            self._file.db.executemany(
                f"INSERT OR REPLACE INTO scores (key, score, guard, day) VALUES (?, ?, ?, {today()})",
                [row for row in guarded if row[0] not in known],
            )
            if pass_name:
                self._file.db.execute(
                    "UPDATE passes SET computed = computed + ?, found = found + ? WHERE pass = ?",
                    (len(guarded), found, pass_name),
                )

    def touch(self, keys: Sequence[bytes]) -> None:
        """Note that these scores were used today, so that pruning spares them."""
        day, old = today(), []
        with self._file.answering():
            for some, marks in _portions(keys):
                found = self._file.db.execute(f"SELECT key FROM scores WHERE day < {day} AND key IN ({marks})", some)
                old += found.fetchall()
            if old:
                with self._file.transaction():
                    self._file.db.executemany(f"UPDATE scores SET day = {day} WHERE key = ?", old)

    # Files

    def pixels_of(self, files: Sequence[bytes]) -> dict[bytes, bytes]:
        """Pixel digests known for files."""
        known: dict[bytes, bytes] = {}
        with self._file.answering():
            for some, marks in _portions(files):
                for file, pixels, guard in self._file.db.execute(
                    f"SELECT file, pixels, guard FROM files WHERE file IN ({marks})", some
                ):
                    if is_sound_file(file, pixels, guard):
                        known[file] = pixels
        return known

    def remember_files(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        with self._file.answering(), self._file.transaction():
            self._file.db.executemany(
                "INSERT OR REPLACE INTO files (file, pixels, guard) VALUES (?, ?, ?)",
                [(f, pixels, guard_of(f, pixels)) for f, pixels in rows],
            )

    # Passes: chunks of exams are leased, because the pid of a killed worker proves nothing.

    def begin(self, pass_name: str, *, chunks: int, cells: int) -> None:
        """Announce a pass; the first of its workers to come does it."""
        now = time.time()
        with self._file.answering(), self._file.transaction():
            self._file.db.execute(
                "DELETE FROM leases WHERE pass IN (SELECT pass FROM passes WHERE started < ?)",
                (now - _FORGET_PASSES_SECONDS,),
            )
            self._file.db.execute("DELETE FROM passes WHERE started < ?", (now - _FORGET_PASSES_SECONDS,))
            self._file.db.execute(
                "INSERT OR IGNORE INTO passes (pass, started, cells) VALUES (?, ?, ?)", (pass_name, now, cells)
            )
            self._file.db.executemany(
                "INSERT OR IGNORE INTO leases (pass, chunk) VALUES (?, ?)",
                [(pass_name, chunk) for chunk in range(chunks)],
            )

    def claim(self, pass_name: str, owner: str) -> int | None:
        """A chunk nobody works on, now leased to the owner; None where there is none."""
        now = time.time()
        with self._file.answering(), self._file.transaction():
            row = self._file.db.execute(
                # One that ends later than any begun now was given before the clock was set back, and could outlive
                # its owner for hours.
                "SELECT chunk FROM leases WHERE pass = ? AND done = 0 AND NOT expires BETWEEN ? AND ? "
                "ORDER BY chunk LIMIT 1",
                (pass_name, now, now + 2 * LEASE_SECONDS),
            ).fetchone()
            if row is None:
                return None
            self._file.db.execute(
                "UPDATE leases SET owner = ?, expires = ? WHERE pass = ? AND chunk = ?",
                (owner, now + LEASE_SECONDS, pass_name, row[0]),
            )
        return int(row[0])

    def renew(self, pass_name: str, owner: str) -> None:
        with self._file.answering():
            self._file.db.execute(
                "UPDATE leases SET expires = ? WHERE pass = ? AND owner = ? AND done = 0",
                (time.time() + LEASE_SECONDS, pass_name, owner),
            )

    def finish(self, pass_name: str, chunk: int) -> None:
        with self._file.answering():
            self._file.db.execute("UPDATE leases SET done = 1 WHERE pass = ? AND chunk = ?", (pass_name, chunk))

    def release(self, owner: str) -> None:
        """Give back what the owner holds unfinished in any pass, so that others need not wait for its leases to end."""
        with self._file.answering():
            self._file.db.execute("UPDATE leases SET expires = 0 WHERE owner = ? AND done = 0", (owner,))

    def unfinished(self, pass_name: str) -> int:
        with self._file.answering():
            (count,) = self._file.db.execute(
                "SELECT COUNT(*) FROM leases WHERE pass = ? AND done = 0", (pass_name,)
            ).fetchone()
        return int(count)

    def progress(self, pass_name: str) -> tuple[int, int, int] | None:
        """(cells in all, computed, found) of a pass; None before it has begun.

        Never more than there are, though a chunk that is done again after its worker died is counted again.
        """
        with self._file.answering():
            row = self._file.db.execute(
                "SELECT cells, computed, found FROM passes WHERE pass = ?", (pass_name,)
            ).fetchone()
        if row is None:
            return None
        cells, computed = int(row[0]), min(int(row[1]), int(row[0]))
        return cells, computed, min(int(row[2]), cells - computed)


def is_sound(key: object, score: object, guard: object) -> bool:
    """Whether a row is as it was written."""
    return isinstance(key, bytes) and isinstance(score, float) and guard == guard_of(key, struct.pack("<d", score))


def is_sound_file(file: object, pixels: object, guard: object) -> bool:
    """The same of a file's row."""
    return isinstance(file, bytes) and isinstance(pixels, bytes) and guard == guard_of(file, pixels)


def guard_of(key: bytes, value: bytes) -> int:
    """48 bits over a row, so that a flipped bit is seen."""
    return int.from_bytes(hashlib.blake2b(key + value, digest_size=6).digest(), "little")


def _portions(keys: Sequence[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """As many keys as a query may have, with the marks that stand for them in it."""
    for start in range(0, len(keys), _LOOK_UP):
        some = keys[start : start + _LOOK_UP]
        yield some, ",".join("?" * len(some))


def today() -> int:
    """Days since 1970."""
    return int(time.time() // DAY_SECONDS)


if __name__ == "__main__":
    from mammo_fixtures.scoring.store_command import main

    raise SystemExit(main())

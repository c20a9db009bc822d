"""Looks after a whole store: what it holds, whether it is sound, and what can go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.store import DAY_SECONDS, Store, is_sound, is_sound_file
from mammo_fixtures.scoring.store_file import SCHEMA_VERSION

_BLOCK = 10_000
_FEW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PassState:
    """A pass of the last week."""

    started: float
    """Seconds since 1970."""
    cells: int
    computed: int
    found: int
    open_chunks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a store holds."""

    schema: int
    bytes: int
    scores: int
    files: int
    passes: tuple[PassState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """What reading all of a store showed."""

    sound: int
    damaged: int
    complaints: tuple[str, ...]
    """What SQLite says of the file's structure; empty where that is sound."""


def contents(store: Store) -> Contents:
    """Counts, and passes, the last one first."""
    db = store.file.db
    with store.file.answering():
        (scores,) = db.execute("SELECT COUNT(*) FROM scores").fetchone()
        (files,) = db.execute("SELECT COUNT(*) FROM files").fetchone()
        passes = db.execute(
            "SELECT started, cells, MIN(computed, cells), MIN(found, cells - MIN(computed, cells)), "
            "(SELECT COUNT(*) FROM leases WHERE leases.pass = passes.pass AND done = 0) "
            "FROM passes WHERE cells > 0 ORDER BY started DESC"
        ).fetchall()
    return Contents(
        schema=SCHEMA_VERSION,
        bytes=store.path.stat().st_size,
        scores=scores,
        files=files,
        passes=tuple(
            PassState(started=started, cells=cells, computed=computed, found=found, open_chunks=left)
            for started, cells, computed, found, left in passes
        ),
    )


def rows(store: Store) -> Iterator[tuple[bytes, float]]:
    """Keys and scores of all sound rows, by key, a block of them in memory at once."""
    for key, score, sound in _scores(store):
        if sound:
            yield key, score


def verify(store: Store) -> Soundness:
    """Reads everything: the file's structure, then each row against its guard."""
    with store.file.answering():
        said = [text.decode(errors="replace") for (text,) in store.file.db.execute("PRAGMA integrity_check(5)")]
    complaints = [] if said == ["ok"] else said[:_FEW]
    sound = damaged = 0
    try:
        for good in _guards(store):
            sound, damaged = sound + good, damaged + (not good)
    except UnusableInput as error:
        complaints.append(str(error))
    return Soundness(sound=sound, damaged=damaged, complaints=tuple(complaints))


def prune(store: Store, *, before: float) -> tuple[int, int]:
    """Delete scores last used before a time (seconds since 1970, by the day) and damaged rows.

    Gives how many were deleted and how many are left; the file shrinks.
    """
    damaged = [(key,) for key, _, sound in _scores(store) if not sound]
    db = store.file.db
    with store.file.answering():
        with store.file.transaction():
            (held,) = db.execute("SELECT COUNT(*) FROM scores").fetchone()
            db.executemany("DELETE FROM scores WHERE key = ?", damaged)
            db.execute("DELETE FROM scores WHERE day < ?", (int(before // DAY_SECONDS),))
            (left,) = db.execute("SELECT COUNT(*) FROM scores").fetchone()
        db.execute("VACUUM")
    return held - left, left


def _guards(store: Store) -> Iterator[bool]:
    """Whether it is sound, for each row."""
    yield from (sound for _, _, sound in _scores(store))
    with store.file.answering():
        for file, pixels, guard in store.file.db.execute("SELECT file, pixels, guard FROM files"):
            yield is_sound_file(file, pixels, guard)


def _scores(store: Store) -> Iterator[tuple[bytes, float, bool]]:
    last = b""
    while True:
        with store.file.answering():
            block = store.file.db.execute(
                "SELECT key, score, guard FROM scores WHERE key > ? ORDER BY key LIMIT ?", (last, _BLOCK)
            ).fetchall()
        for key, score, guard in block:
            yield key, score, is_sound(key, score, guard)
        if len(block) < _BLOCK:
            return
        last = block[-1][0]

"""Processes that share a pass load the classifier each for itself, and must have loaded the same one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.placement import PlacedNetwork
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.keys import UNKEPT, parts_digest
from mammo_fixtures.scoring.score_table import CLEAN
from mammo_fixtures.scoring.sweep import Sweep

if TYPE_CHECKING:
    from mammo_fixtures.classifiers import Classifier
    from mammo_fixtures.exams import Exam
    from mammo_fixtures.scoring.store import Store

_SAME = 1e-3
"""Relative difference that counts as the same score: other threads, and half precision."""
_PRINT = "fingerprint"


def identity(classifier: Classifier, fingerprint: str, sweep: Sweep, exam: Exam) -> dict[str, float]:
    """Numbers that tell a loaded classifier from others: of its fingerprint, or where it has none, an exam's scores."""
    found = {_PRINT: float(int(fingerprint[:12], 16)) if fingerprint else 0.0}
    if not told_by_scores(classifier, fingerprint):
        return found
    probe = Sweep(inference=sweep.inference, seed=sweep.seed, batch_size=sweep.batch_size, watch=sweep.watch)
    scores = probe.exam(exam, {breast.side: [CLEAN] for breast in exam.breasts})
    return found | {f"exam {exam.exam_id}, {side}": score for (side, _), score in scores.items()}


def told_by_scores(classifier: Classifier, fingerprint: str) -> bool:
    """Whether nothing but its scores tells a classifier from others: what has a fingerprint, or declares one, is known
    by that, so that a run that has all its scores reads no image."""
    known = bool(fingerprint) and not fingerprint.startswith(UNKEPT)
    return not known and not isinstance(classifier.network, PlacedNetwork)


def check_same(classifier: str, mine: Mapping[str, float], theirs: Mapping[str, float], where: str) -> None:
    """Raises UnusableInput where another process loaded another classifier."""
    differ = [name for name in mine if name in theirs and not _same(name, mine[name], theirs[name])]
    if differ:
        name = differ[0]
        got = (
            "other weights or code" if name == _PRINT else f"{mine[name]:.6g} and {theirs[name]:.6g} for {name}, clean"
        )
        raise UnusableInput(
            f"classifier {classifier}: every {where} must load the same one, two of them have {got}; look for weights "
            "drawn at random when it is loaded, scores that do not repeat, files that changed meanwhile, and values of "
            "its modules that differ between processes: where these decide no score, declare a fingerprint= in its "
            "Classifier"
        )


def agree(store: Store, classifier: str, pass_name: str, mine: Mapping[str, float]) -> None:
    """Hold this process's numbers against those of whoever came first. Raises UnusableInput where they differ."""
    keys = {name: parts_digest([b"identity", pass_name.encode(), name.encode()]) for name in mine}
    store.keep([(keys[name], value) for name, value in mine.items()])
    there = store.scores(list(keys.values()))
    theirs = {name: there[key] for name, key in keys.items() if key in there}
    check_same(classifier, mine, theirs, "worker")


def _same(name: str, one: float, other: float) -> bool:
    return one == other if name == _PRINT else math.isclose(one, other, rel_tol=_SAME, abs_tol=_SAME)

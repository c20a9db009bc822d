"""What a pass would have to do, told from the manifest and the store without decoding a view."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.adversarial import gradients_needed
from mammo_fixtures.perturbations.universal import UNIVERSAL
from mammo_fixtures.scoring.cost_model import Amount
from mammo_fixtures.scoring.images import follows_gradient

if TYPE_CHECKING:
    from mammo_fixtures.exams import Breast, Exam, View
    from mammo_fixtures.exams.cohort import ViewSource
    from mammo_fixtures.scoring.one_pass import Pass
    from mammo_fixtures.scoring.score_table import Condition

Wanted = dict[str, tuple["Condition", ...]]
"""Conditions of each side that have no score yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A pass before it begins."""

    scores: int
    """In all."""
    stored: int
    """Those that the store has."""
    unread: int
    """Views whose file the store does not know: whether it has their scores cannot be told, they count as missing."""
    left: tuple[tuple[Exam, Wanted], ...]
    """Exams with scores to compute."""
    amount: Amount

    @property
    def missing(self) -> int:
        return self.scores - self.stored


def outlook(one_pass: Pass) -> Outlook:
    """Look ahead. Reads the store, and of the exams' files no more than size and time."""
    keys, needs, sweep = one_pass.keys, one_pass.needs, one_pass.sweep
    keys.recall(one_pass.store, one_pass.cohort)
    amount = Amount(gradients=one_pass.preparation.recall({c.perturbation for c in one_pass.conditions[1:]}))
    if sweep.fields is None:
        # Fields that are not fitted yet: their scores have no key, and are certainly not there.
        keys = replace(keys, conditions=[c for c in keys.conditions if c.perturbation != UNIVERSAL.name])
    scores = stored = unread = 0
    left: list[tuple[Exam, Wanted]] = []
    same: dict[tuple[Condition, ...], tuple[Condition, ...]] = {}
    for exam in one_pass.cohort:
        known: set[tuple[str, Condition]] = set()
        if keys.known(exam):
            cells = keys.of(exam, _unread)
            there = one_pass.store.scores(list(cells.values()))
            known = {cell for cell, key in cells.items() if key in there}
        else:
            unread += sum(source not in keys.pixels for source in exam.views)
        wanted: Wanted = {}
        for breast in exam.breasts:
            due = [c for c in one_pass.conditions if needs.met(breast, c.perturbation)]
            scores += len(due)
            if missing := tuple(c for c in due if (breast.side, c) not in known):
                # One tuple for all breasts that lack the same: a million exams lack little else.
                wanted[breast.side] = same.setdefault(missing, missing)
        stored += len(known)
        if wanted:
            left.append((exam, wanted))
            amount += _amount(one_pass, exam, wanted)
    return Outlook(scores=scores, stored=stored, unread=unread, left=tuple(left), amount=amount)


def _amount(one_pass: Pass, exam: Exam, wanted: Wanted) -> Amount:
    if one_pass.sweep.inference.classifier.level == "exam":
        conditions = list(dict.fromkeys(c for some in wanted.values() for c in some))
        views = len(one_pass.sweep.unit(exam, exam.breasts[0]))
        return Amount(views=views, images=len(conditions), gradients=_gradients(conditions))
    return sum((_of_breast(b, wanted[b.side]) for b in exam.breasts if b.side in wanted), start=Amount())


def _of_breast(breast: Breast, conditions: tuple[Condition, ...]) -> Amount:
    views = len(breast.views)
    return Amount(views=views, images=views * len(conditions), gradients=views * _gradients(conditions))


def _gradients(conditions: tuple[Condition, ...] | list[Condition]) -> int:
    followed = Counter(c.perturbation for c in conditions if follows_gradient(c))
    return sum(gradients_needed(PERTURBATIONS[name], count) for name, count in followed.items())


def _unread(source: ViewSource) -> View:
    raise AssertionError("the keys of an exam that is known need no view")

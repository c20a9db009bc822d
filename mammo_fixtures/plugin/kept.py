"""What a run that ended early leaves to the next one."""

from __future__ import annotations

from mammo_fixtures.plugin.progress import PHANTOMS, asked, stage_told
from mammo_fixtures.plugin.run import Run


def kept_said(run: Run) -> str:
    """A line on the scores of a pass that was not finished; empty where it was, or none was begun."""
    if run.settings.scores is not None or run.effort:
        return ""
    for path, state in asked(run, lambda store: store.progress(run.pass_name)):
        if state is not None:
            return _line(run, *state, kept=path == run.settings.store)
    return _before_the_pass(*stage_told(run))


def _before_the_pass(stage: str, done: int, wanted: int) -> str:
    if done == wanted:
        return ""
    if stage == PHANTOMS:
        return f"{done} of {wanted} phantom exams were written and stay: the next run makes the rest"
    ended = f"the fitting of universal fields ended with {done:,} of {wanted:,} gradients"
    return f'{ended}, and the next run begins it anew; -k "not universal" leaves it out'


def _line(run: Run, cells: int, computed: int, found: int, *, kept: bool) -> str:
    there = f"the pass ended with {computed + found:,} of {cells:,} scores"
    if kept:
        return f"{there}, kept in the score store: the next run computes the rest"
    why = "--mammo-store=none" if run.settings.store is None else "the classifier has no fingerprint"
    return f"{there}, none of them kept ({why})"

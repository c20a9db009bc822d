"""What a run that ended early leaves to the next one."""

from __future__ import annotations

from contextlib import suppress

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.progress import fit_told
from mammo_fixtures.plugin.run import Run


def kept_said(run: Run) -> str:
    """A line on the scores of a pass that was not finished; empty where it was, or none was begun."""
    if run.settings.scores is not None or run.effort:
        return ""
    from mammo_fixtures.scoring.store import Store

    for path in (run.store, run.unkept_store):
        with suppress(UnusableInput):
            state = None
            if path.exists():
                store = Store(path)
                state = store.progress(run.pass_name)
                store.close()
            if state is not None:
                return _line(run, *state, kept=path == run.settings.store)
    done, wanted = fit_told(run)
    if done < wanted:
        return (
            f"the fitting of universal fields ended with {done:,} of {wanted:,} gradients, and the next run begins it "
            'anew; -k "not universal" leaves it out'
        )
    return ""


def _line(run: Run, cells: int, computed: int, found: int, *, kept: bool) -> str:
    there = f"the pass ended with {computed + found:,} of {cells:,} scores"
    if kept:
        return f"{there}, kept in {run.settings.store}: the next run computes the rest"
    why = "--mammo-store=none" if run.settings.store is None else "the classifier has no fingerprint"
    return f"{there}, none of them kept ({why})"

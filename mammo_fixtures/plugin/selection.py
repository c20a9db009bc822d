"""Which claims become tests, and which of them run when nothing is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mammo_fixtures.plugin.run import Run
from mammo_fixtures.verdicts.baseline import tolerances_for_baseline
from mammo_fixtures.verdicts.claim import Claim, clean_claims, curve_claims, judged_claims

MARKERS = (
    "claims(kind): one test a claim; kind is holds, responds, responds_more, not_worse, curve or clean",
    "extended: claims beyond the core gate; run with -m extended",
    "benchmark: throughput; run with --benchmark-only",
)

_KINDS: dict[str, Callable[[Run], list[Claim]]] = {
    "holds": lambda run: judged_claims(run.tolerances, "holds", strict=run.settings.strict),
    "responds": lambda run: judged_claims(run.tolerances, "responds", strict=run.settings.strict),
    "responds_more": lambda run: judged_claims(run.tolerances, "responds_more", strict=run.settings.strict),
    "not_worse": lambda run: _against_baseline(run),
    "curve": lambda run: curve_claims(run.tolerances),
    "clean": lambda run: clean_claims(run.tolerances),
}


def _against_baseline(run: Run) -> list[Claim]:
    if run.settings.baseline is None:
        return []
    return judged_claims(tolerances_for_baseline(run.tolerances), "not_worse", strict=run.settings.strict)


def parametrize(metafunc: pytest.Metafunc, run: Run) -> None:
    """Give a test marked `claims(kind)` one case for each claim of the kind, its id the claim."""
    marker = metafunc.definition.get_closest_marker("claims")
    if marker is None:
        return
    claims = _KINDS[marker.args[0]](run)
    metafunc.parametrize(
        "claim",
        [pytest.param(c, id=c.id, marks=[pytest.mark.extended] if c.set == "extended" else []) for c in claims],
    )


def deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop what is extended or a benchmark, unless the command line asks for it; and cases without a claim."""
    named = any("::" in argument for argument in config.args)
    asked = bool(config.option.markexpr) or bool(getattr(config.option, "benchmark_only", False)) or named

    def dropped(item: pytest.Item) -> bool:
        spare = any(item.get_closest_marker(name) for name in ("extended", "benchmark")) or "benchmark" in getattr(
            item, "fixturenames", ()
        )
        # pytest makes one placeholder case where a kind has no claim at all.
        callspec = getattr(item, "callspec", None)
        empty = item.get_closest_marker("claims") and not isinstance(callspec and callspec.params.get("claim"), Claim)
        return bool(empty) or (spare and not asked)

    kept = [item for item in items if not dropped(item)]
    gone = [item for item in items if dropped(item)]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = kept

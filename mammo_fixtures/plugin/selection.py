"""Which claims become tests, and which of them run when nothing is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mammo_fixtures.plugin.run import Run, claim_of, run_of
from mammo_fixtures.verdicts.baseline import tolerances_for_baseline
from mammo_fixtures.verdicts.claim import Claim, clean_claims, curve_claims, judged_claims

MARKERS = (
    "claims(kind): one test a claim; kind is holds, responds, responds_more, not_worse, curve or clean",
    "extended: claims beyond the core gate; run with -m extended",
    "benchmark: throughput; run with --benchmark-only",
)


def _against_baseline(run: Run) -> list[Claim]:
    """Without a baseline those that are stated all the same: a claim that nobody judges must not look like none."""
    given = run.settings.baseline is not None
    tolerances = tolerances_for_baseline(run.tolerances) if given else run.tolerances
    return judged_claims(tolerances, "not_worse", strict=run.settings.strict)


_KINDS: dict[str, Callable[[Run], list[Claim]]] = {
    "holds": lambda run: judged_claims(run.tolerances, "holds", strict=run.settings.strict),
    "responds": lambda run: judged_claims(run.tolerances, "responds", strict=run.settings.strict),
    "responds_more": lambda run: judged_claims(run.tolerances, "responds_more", strict=run.settings.strict),
    "not_worse": _against_baseline,
    "curve": lambda run: curve_claims(run.tolerances),
    "clean": lambda run: clean_claims(run.tolerances),
}


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
    marks = config.option.markexpr or ""
    alone = bool(getattr(config.option, "benchmark_only", False))

    def dropped(item: pytest.Item) -> bool:
        timed = item.get_closest_marker("benchmark") or "benchmark" in getattr(item, "fixturenames", ())
        # `-m "extended or not extended"` asks for all claims, and would take an hour of benchmarks for one of them.
        asked = named or alone or ("benchmark" in marks if timed else bool(marks))
        spare = bool(timed or item.get_closest_marker("extended"))
        # pytest makes one placeholder case where a kind has no claim at all.
        empty = item.get_closest_marker("claims") is not None and claim_of(item) is None
        return empty or (spare and not asked)

    kept: list[pytest.Item] = []
    gone: list[pytest.Item] = []
    for item in items:
        (gone if dropped(item) else kept).append(item)
    if gone:
        _say_what_is_extended(run_of(config), gone)
        config.hook.pytest_deselected(items=gone)
        items[:] = kept


def _say_what_is_extended(run: Run, gone: list[pytest.Item]) -> None:
    """Claims of a user's own tolerances that nobody asked for by `-m`: a green run must not look as if it held them."""
    claims = [claim for claim in map(claim_of, gone) if claim is not None and claim.tolerance is not None]
    if claims and not run.settings.default_tolerances:
        names = ", ".join(dict.fromkeys(claim.perturbation for claim in claims))
        one = len(claims) == 1
        said, were = (
            ("1 claim of the tolerances is", "was") if one else (f"{len(claims)} claims of the tolerances are", "were")
        )
        run.remarks[
            f"{said} about extended perturbations ({names}) and {were} not run; "
            '-m extended runs what is, -m "extended or not extended" all'
        ] = None

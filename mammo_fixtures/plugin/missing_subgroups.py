"""What can be told before hours of scoring: claims about a subgroup that no malignant breast of the exams is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mammo_fixtures.verdicts.claim import may_stay_unjudged
from mammo_fixtures.verdicts.subgroups import absent, belongs

if TYPE_CHECKING:
    from mammo_fixtures.exams import Cohort
    from mammo_fixtures.verdicts import Tolerance
    from mammo_fixtures.verdicts.claim import Claim


def relied_on(claims: Iterable[Claim], tolerances: Sequence[Tolerance], *, strict: bool) -> dict[str, int]:
    """Judged claims by the subgroups they name, but for those that may stay unjudged."""
    judged = [claim for claim in claims if claim.tolerance is not None]
    return Counter(
        subgroup
        for claim in judged
        for subgroup in dict.fromkeys((claim.subgroup, claim.tolerance.than if claim.tolerance else ""))
        if subgroup and (strict or not may_stay_unjudged(claim, tolerances))
    )


def missing_subgroups(claims: Mapping[str, int], cohort: Cohort) -> list[str]:
    """A line for each subgroup that claims rely on and no malignant breast of a cohort is in."""
    malignant = [breast for breast in cohort.breasts if breast.malignant]
    columns = {
        name: [breast.columns.get(name, "") for breast in malignant]
        for name in dict.fromkeys(name for breast in malignant for name in breast.columns)
    }
    return [
        f"{count} claim{'s' * (count > 1)} on {subgroup} cannot be judged: of {len(malignant)} malignant breasts "
        f"{absent(columns, subgroup) or 'none is in it'}"
        for subgroup, count in claims.items()
        if not any(belongs(breast, subgroup) for breast in malignant)
    ]

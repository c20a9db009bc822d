"""Which tolerance a verdict was judged by: its reason and its terms stand in the report beside the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mammo_fixtures.reports.findings import Plain, curve_key, terms_text
from mammo_fixtures.verdicts import Tolerance
from mammo_fixtures.verdicts.baseline import tolerances_for_baseline
from mammo_fixtures.verdicts.claim import judged_claims
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.tolerance import CLAIMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """Tolerances by the claims they make."""

    by_claim: dict[tuple[str, str], Tolerance]

    @classmethod
    def of(cls, tolerances: Sequence[Tolerance]) -> Tolerances:
        by_claim = {}
        for kind in CLAIMS:
            stated = tolerances_for_baseline(tolerances) if kind == "not_worse" else tolerances
            for claim in judged_claims(stated, kind):
                assert claim.tolerance is not None
                by_claim[kind, claim.id] = claim.tolerance
        return cls(by_claim=by_claim)

    def of_verdict(self, verdict: Plain) -> Tolerance | None:
        """None for the clean metric, which is held against chance."""
        return self.by_claim.get((str(verdict["claim"]), claim_id(verdict)))

    def curve_of(self, verdict: Plain) -> tuple[str, str, str, str] | None:
        """The key of the curve on which a verdict rests, where it is one of this classifier alone."""
        tolerance = self.of_verdict(verdict)
        if tolerance is None or tolerance.claim not in ("holds", "responds"):
            return None
        return curve_key(_with_terms(verdict, tolerance))

    def asked(self, verdict: Plain) -> str:
        """`sensitivity, at specificity>=0.90`: the metric, its terms, and the other subgroup where there is one."""
        title, tolerance = metric_named(str(verdict["metric"])).title, self.of_verdict(verdict)
        if tolerance is None:
            return title
        than = f"more than {tolerance.than}" if tolerance.than else ""
        return ", ".join(filter(None, (title, terms_text(_with_terms(verdict, tolerance)), than)))


def _with_terms(verdict: Plain, tolerance: Tolerance) -> Plain:
    """The verdict with what its curve was asked for."""
    about = dict(verdict) | {"prevalence": tolerance.prevalence, "readers": tolerance.readers}
    if "operating_point" in metric_named(tolerance.metric).needs:
        about["operating_point"] = tolerance.operating_point
    return about


def claim_id(verdict: Plain) -> str:
    """`lowpass-0.50mm-all-auc`, what can be typed after -k."""
    _, _, rest = str(verdict["test"]).partition("[")
    return rest.removesuffix("]")

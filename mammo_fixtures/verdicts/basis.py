"""What a figure rests on, in words: which breasts and readers, which operating point, which prevalence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.subgroups import ALL

if TYPE_CHECKING:
    from mammo_fixtures.verdicts.curve import Curve, Point

_ENRICHED = 0.02
"""Share of malignant breasts that no screening population reaches: there about one woman in 160 has a cancer."""


def subject(curve: Curve) -> str:
    """`AUC of soft_tissue_lesions`, `sensitivity at clean specificity>=0.90 of all breasts`."""
    record = metric_named(curve.metric)
    at = f" at clean {curve.operating_point}" if "operating_point" in record.needs else ""
    if at and curve.operating_point.startswith("score"):
        at = f" at {curve.operating_point}"
    return f"{record.title}{at} of {'all breasts' if curve.subgroup == ALL else curve.subgroup}"


def counts(curve: Curve, point: Point | None) -> str:
    """`n = 48 malignant, 211 not`, and whatever else a reader must know to trust the figures."""
    at = point or curve.clean
    parts = [f"n = {at.positives} malignant, {at.negatives} not"]
    positives, negatives = curve.positives or at.positives, curve.negatives or at.negatives
    if (at.positives, at.negatives) != (positives, negatives):
        parts.append(
            f"on the {at.positives} of {positives} malignant and {at.negatives} of {negatives} other breasts that have "
            "a score"
        )
    if curve.unlabelled:
        parts.append(f"{curve.unlabelled} of unknown label left out")
    if at.unpaired:
        parts.append("unpaired: no reader scored the same breasts clean and perturbed")
    if curve.readers == "random":
        parts.append(f"{at.readers} reader{'s' if at.readers > 1 else ''} taken for any readers")
        if at.reader_variance is not None and at.reader_variance < 0:
            parts.append(f"variance between readers {at.reader_variance:.2g} taken as 0")
    record = metric_named(curve.metric)
    if record.name in ("ks", "ece"):
        parts.append("biased upward in small samples")
    if "prevalence" in record.needs:
        parts.append(_mix(curve, at))
    return ", ".join(parts)


def terms(curve: Curve) -> dict[str, str]:
    """What decides a curve's figures beside its metric, where it is not the default."""
    needs = metric_named(curve.metric).needs
    found = {"operating point": curve.operating_point} if "operating_point" in needs else {}
    found |= {"prevalence": f"{curve.prevalence:g}"} if curve.prevalence is not None else {}
    return found | ({"readers": curve.readers} if curve.readers != "fixed" else {})


def _mix(curve: Curve, at: Point) -> str:
    if curve.prevalence is not None:
        return f"weighted to {curve.prevalence:.2%} malignant"
    share = at.positives / max(at.positives + at.negatives, 1)
    text = f"for the sample's own {share:.1%} malignant"
    return f"{text}, which is enriched: declare a prevalence" if share > _ENRICHED else text

"""What a whole curve comes to, in words: its mean over the ladder, and from which severity a margin is broken."""

from __future__ import annotations

from collections.abc import Iterable

from mammo_fixtures.reports.findings import Plain, catalogue_order, curve_key, terms_text
from mammo_fixtures.verdicts.decidability import needed_to_hold
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.sentence import bounded, severity_text


def mean_text(curve: Plain) -> str:
    """`0.755 [0.713, 0.794], drop 0.114 [0.083, 0.151]`; empty where nothing was measured."""
    mean = curve.get("ladder_mean")
    if not mean or mean["value"] is None:
        return ""
    value = bounded(mean["value"], mean["low"], mean["high"])
    return f"{value}, drop {bounded(mean['drop'], mean['drop_low'], mean['drop_high'])}"


def broken_texts(curve: Plain) -> list[str]:
    """`margin 0.05 first broken at 1 mm`, for each margin of a `holds` claim; `broken nowhere` does not say held.

    Where no severity could be found broken, however much was lost, that is said instead.
    """
    told = []
    for each in curve.get("first_broken", ()):
        sure = "" if each["confidence"] == 0.95 else f" at {100 * each['confidence']:g} % confidence"
        if each["severity"] is None and (why := _not_decidable(curve, each["margin"])):
            told.append(f"margin {each['margin']:g} not decided, {why}{sure}")
        elif each["severity"] is None:
            told.append(f"margin {each['margin']:g} broken nowhere{sure}")
        else:
            at = " ".join(filter(None, (severity_text(each["severity"]), str(curve["unit"]))))
            told.append(f"margin {each['margin']:g} first broken at {at}{sure}")
    return told


def _not_decidable(curve: Plain, margin: float) -> str:
    """Why no severity of a curve can be found to break a margin; empty where one can."""
    metric = metric_named(str(curve["metric"]))
    clean, *points = curve["points"]
    needed = max(metric.fewest, needed_to_hold(clean["value"], metric.chance, margin))
    most = max((point["positives"] for point in points), default=0)
    if most < needed:
        return f"{most} malignant breasts are fewer than the {needed} needed"
    if metric.chance is not None and clean["low"] is not None and clean["low"] <= metric.chance:
        return f"the clean {metric.title} is not above chance"
    return ""


def broken_lines(curves: Iterable[Plain], verdicts: Iterable[Plain]) -> list[str]:
    """Of the curves of which a `holds` claim is broken, where each margin first is; in the order of the catalogue."""
    asked = {_subject(v) for v in verdicts if v["claim"] == "holds" and v["outcome"] == "broken"}
    known = sorted((curve for curve in curves if _subject(curve) in asked), key=curve_key)
    order = catalogue_order(str(curve["perturbation"]) for curve in known)
    return [
        f"{about(curve)}: {'; '.join(broken_texts(curve))}"
        for curve in sorted(known, key=lambda curve: order.index(str(curve["perturbation"])))
        if any(each["severity"] is not None for each in curve.get("first_broken", ()))
    ]


def _subject(of: Plain) -> tuple[str, str, str]:
    return str(of["perturbation"]), str(of["subgroup"]), str(of["metric"])


def about(curve: Plain) -> str:
    """`lowpass, soft_tissue_lesions, AUC`."""
    parts = (curve["perturbation"], curve["subgroup"], metric_named(str(curve["metric"])).title, terms_text(curve))
    return ", ".join(filter(None, map(str, parts)))

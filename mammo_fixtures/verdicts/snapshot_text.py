"""A curve as text for a snapshot, and the comparison of two such texts within a tolerance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mammo_fixtures.metrics import METRICS
from mammo_fixtures.verdicts.basis import terms
from mammo_fixtures.verdicts.curve import Curve

SNAPSHOT_TOLERANCE = {metric.name: metric.snapshot for metric in METRICS}
"""Largest difference of a metric that counts as the same number: devices and library versions differ by less."""

_COLUMNS = "severity"
_CONFLICT = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_NOT_UTF8 = "\N{REPLACEMENT CHARACTER}"
"""What reading puts in place of bytes that are not UTF-8."""
_UPDATE = "if the change is meant, store it: the same command with --snapshot-update"
_BESIDE = "; if it is to stay as it is, leave it out of this run: --mammo-snapshots=none"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCurve:
    """A curve and where it came from: curves of other cohorts, classifiers or records are not compared."""

    curve: Curve
    provenance: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        curve = self.curve
        lines = [f"{curve.metric} of {curve.subgroup} under {curve.perturbation}, {curve.unit}"]
        clean = curve.points[0]
        counts = {"malignant": str(clean.positives), "not malignant": str(clean.negatives)}
        lines += [f"{name}: {value}" for name, value in (dict(self.provenance) | terms(curve) | counts).items()]
        lines += ["", f"{_COLUMNS:>12}  {curve.metric:>8}"]
        lines += [f"{format(p.severity, 'g'):>12}  {_number(p.value):>8}" for p in curve.points]
        return "\n".join(lines) + "\n"


def same(*, now: str, stored: str) -> bool:
    """Whether two texts are of the same kind and their values agree within the metric's tolerance."""
    if _fault(stored):
        return False
    one, other = _parse(now), _parse(stored)
    if one.head != other.head or one.values.keys() != other.values.keys():
        return False
    return all(_close(one.values[s], other.values[s], one.metric) for s in one.values)


def compare(*, now: str, stored: str) -> Iterator[str]:
    """Why two texts are not the same: what the stored one is of, or severity, stored, now and difference."""
    one = _parse(now)
    if not stored:
        yield f"no snapshot is stored for this curve; store one: the same command with --snapshot-update ({one.title})"
        return
    if fault := _fault(stored):
        yield f"the stored curve {fault}: mend that file, or store the curve anew with --snapshot-update ({one.title})"
        return
    other = _parse(stored)
    if one.head != other.head:
        for name in dict.fromkeys((*other.head, *one.head)):
            was, is_now = other.head.get(name, "–"), one.head.get(name, "–")
            if was != is_now:
                yield f"not comparable: the stored curve has {name} {was!r}, this one {is_now!r}; {_UPDATE}{_BESIDE}"
        return
    tolerance = SNAPSHOT_TOLERANCE.get(one.metric, 0.0)
    yield f"{one.title} moved by more than {tolerance:g}{_most(one.values, other.values)}; {_UPDATE}"
    yield f"{'severity':>12}  {'stored':>8}  {'now':>8}  {'difference':>10}"
    for severity in dict.fromkeys((*other.values, *one.values)):
        was, is_now = other.values.get(severity, "–"), one.values.get(severity, "–")
        both = _is_number(was) and _is_number(is_now)
        difference = f"{float(is_now) - float(was):+.4f}" if both else "–"
        mark = "" if severity in one.values and severity in other.values and _close(is_now, was, one.metric) else "  <"
        yield f"{severity:>12}  {was:>8}  {is_now:>8}  {difference:>10}{mark}"


def stored_values(stored: str, *, comparable_to: str) -> dict[float, float]:
    """Values by severity of a stored curve; empty where it is of another cohort, classifier, record or seed."""
    one, other = _parse(comparable_to), _parse(stored)
    if _fault(stored) or one.head != other.head:
        return {}
    return {float(s): float(value) for s, value in other.values.items() if _is_number(s) and _is_number(value)}


def _fault(stored: str) -> str:
    """What no curve's text has: of two versions that a merge left, the later one would be taken without a word."""
    for number, line in enumerate(stored.splitlines(), start=1):
        if line.startswith(_CONFLICT):
            return f"has a merge conflict in line {number}"
        if _NOT_UTF8 in line:
            return f"is not UTF-8 in line {number}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    title: str
    metric: str
    head: Mapping[str, str]
    values: Mapping[str, str]


def _parse(text: str) -> _Parsed:
    lines = text.splitlines() or [""]
    head = {"title": lines[0]}
    values: dict[str, str] = {}
    in_table = False
    for line in lines[1:]:
        words = line.split()
        if words[:1] == [_COLUMNS]:
            in_table = True
        elif in_table and len(words) == 2:
            values[words[0]] = words[1]
        elif ": " in line:
            name, _, value = line.partition(": ")
            head[name] = value
    return _Parsed(title=lines[0], metric=lines[0].split(" ")[0], head=head, values=values)


def _most(now: Mapping[str, str], stored: Mapping[str, str]) -> str:
    """`, most by -0.0618 at 2`: a report shows no more than this line."""
    both = [s for s in now if _is_number(now[s]) and _is_number(stored.get(s, ""))]
    moves = {severity: float(now[severity]) - float(stored[severity]) for severity in both}
    if not any(moves.values()):
        return ""
    place = max(moves, key=lambda severity: abs(moves[severity]))
    return f", most by {moves[place]:+.4f} at {place}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _close(one: str, other: str, metric: str) -> bool:
    if not (_is_number(one) and _is_number(other)):
        return one == other
    # Both were rounded to four digits, each by up to half a unit.
    return abs(float(one) - float(other)) <= SNAPSHOT_TOLERANCE.get(metric, 0.0) + 1e-9

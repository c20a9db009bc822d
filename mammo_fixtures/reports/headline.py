"""The result of a run in one sentence, and in counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mammo_fixtures.reports.findings import WORST_FIRST, Findings, Plain

_SHOWN = 10
"""Tests that one line names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What stands at the top."""

    word: str
    """`passed`, `failed` or `stopped`."""
    sentence: str
    counts: dict[str, int]
    """Claims by outcome, worst first."""
    never_judged: int


def headline(findings: Findings) -> Headline:
    """One sentence that says whether the gate passed, and what stood in its way."""
    outcomes = Counter(verdict["outcome"] for verdict in findings.judged)
    counts = {name: outcomes[name] for name in WORST_FIRST}
    never = max(findings.selected - len(findings.judged), 0)
    word = "stopped" if findings.stopped else "passed" if findings.passed else "failed"
    return Headline(word=word, sentence=_sentence(findings, word, counts, never), counts=counts, never_judged=never)


def _sentence(findings: Findings, word: str, counts: dict[str, int], never: int) -> str:
    total = len(findings.judged)
    found = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    if word == "stopped":
        so_far = f"of {total + never} claims {total} were judged{f' ({found})' if found else ''}"
        return f"The gate was stopped: {findings.stopped}; {so_far}, so this report is part of one."
    if word == "passed":
        return f"The gate passed: {'; '.join(_said(findings, total))}."
    reasons = []
    refused = [verdict for verdict in findings.judged if not findings.accepted(verdict)]
    if refused:
        if {verdict["outcome"] for verdict in refused} == {"inconclusive"}:
            undecided = "could not be decided with these breasts, none was found broken"
            reasons.append(f"{len(refused)} of {total} claims {undecided}")
        else:
            reasons.append(f"{len(refused)} of {total} claims {_were(len(refused))} not held ({_kinds(refused)})")
        if others := accepted_unheld(findings.judged, findings.ends):
            reasons.append(f"{len(others)} more {_are(len(others))} accepted by {_tolerances(others)}")
    elif total:
        reasons += _said(findings, total, judged=" that were judged" if never else "")
    unclean = [v for v in findings.verdicts if v["claim"] == "clean" and not findings.accepted(v)]
    if unclean:
        reasons.append(f"the clean AUC of {_subgroups(len(unclean))} was not shown to be better than chance")
    if findings.failures:
        other = "other " if findings.verdicts else ""
        reasons.append(f"{len(findings.failures)} {other}{_tests(len(findings.failures))} failed")
    if never:
        reasons.append(f"{never} selected {_claims(never)} never judged")
    return f"The gate failed: {'; '.join(reasons) or 'nothing was judged'}."


def accepted_unheld(verdicts: Iterable[Plain], ends: Mapping[str, Plain]) -> list[Plain]:
    """Verdicts that are not held and whose tests did not fail, because a tolerance accepts that."""
    return [
        v for v in verdicts if v["outcome"] != "held" and ends.get(v["test"], {}).get("outcome", "failed") != "failed"
    ]


def accepted_lines(verdicts: Sequence[Plain], ends: Mapping[str, Plain]) -> list[str]:
    """Which they are, a line for each outcome; a test of one's own may accept what is broken."""
    lines = []
    for outcome in WORST_FIRST:
        tests = [str(v["test"]) for v in accepted_unheld(verdicts, ends) if v["outcome"] == outcome]
        if tests:
            who = "test" if outcome == "broken" else "tolerance"
            says = f"its {who} says" if len(tests) == 1 else f"their {who}s say"
            more = f" and {len(tests) - _SHOWN} more" if len(tests) > _SHOWN else ""
            lines.append(f"accepted though {outcome.replace('_', ' ')}, as {says}: {', '.join(tests[:_SHOWN])}{more}")
    return lines


def _said(findings: Findings, total: int, *, judged: str = "") -> list[str]:
    """What became of claims of which none was refused."""
    others = accepted_unheld(findings.judged, findings.ends)
    if not total:
        said = ["no claim of the tolerances was selected"]
    elif not others:
        said = [
            f"all {total} claims{judged} were held"
            if total > 1
            else f"the one claim{judged.replace('were', 'was')} was held"
        ]
    else:
        rest = (
            "it is" if total == 1 else "all are" if len(others) == total else f"the other {_are_counted(len(others))}"
        )
        held = total - len(others)
        said = [
            f"{held or 'none'} of {total} claims{judged} {_were(held or 1)} held",
            f"{rest} accepted by {_tolerances(others)}",
        ]
    unclean = accepted_unheld((v for v in findings.verdicts if v["claim"] == "clean"), findings.ends)
    if unclean:
        said.append(f"the clean AUC of {_subgroups(len(unclean))} was not judged, as the tolerances on it allow")
    return said


def _tolerances(others: Sequence[Plain]) -> str:
    return f"{'its tolerance' if len(others) == 1 else 'their tolerances'} ({_kinds(others)})"


def _kinds(verdicts: Iterable[Plain]) -> str:
    """`2 broken, 1 inconclusive`; the outcome alone where there is one."""
    kinds = Counter(v["outcome"] for v in verdicts)
    said = [f"{kinds[name]} {name.replace('_', ' ')}" for name in WORST_FIRST if kinds[name]]
    return said[0].removeprefix("1 ") if kinds.total() == 1 else ", ".join(said)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _are_counted(count: int) -> str:
    return "one is" if count == 1 else f"{count} are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _tests(count: int) -> str:
    return "test" if count == 1 else "tests"


def _claims(count: int) -> str:
    return "claim was" if count == 1 else "claims were"


def _subgroups(count: int) -> str:
    return "one subgroup" if count == 1 else f"{count} subgroups"

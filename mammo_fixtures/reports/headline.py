"""The result of a run in one sentence, and in counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mammo_fixtures.reports.findings import WORST_FIRST, Findings


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
        held = f"all {total} claims were held" if counts["held"] == total and total else f"of {total} claims {found}"
        if not total:
            held = "no claim of the tolerances was selected"
        rest = "" if counts["held"] == total else ", and their tolerances accept the others"
        return f"The gate passed: {held}{rest}."
    reasons = []
    refused = [verdict for verdict in findings.judged if not findings.accepted(verdict)]
    if refused:
        if {verdict["outcome"] for verdict in refused} == {"inconclusive"}:
            undecided = "could not be decided with these breasts, none was found broken"
            reasons.append(f"{len(refused)} of {total} claims {undecided}")
        else:
            reasons.append(f"{len(refused)} of {total} claims {_were(len(refused))} not held ({_kinds(findings)})")
    elif total:
        reasons.append(f"of {total} claims {found}")
    unclean = [v for v in findings.verdicts if v["claim"] == "clean" and not findings.accepted(v)]
    if unclean:
        reasons.append(f"the clean AUC of {_subgroups(len(unclean))} was not shown to be better than chance")
    if findings.failures:
        reasons.append(f"{len(findings.failures)} other {_tests(len(findings.failures))} failed")
    if never:
        reasons.append(f"{never} selected {_claims(never)} never judged")
    return f"The gate failed: {'; '.join(reasons) or 'nothing was judged'}."


def _kinds(findings: Findings) -> str:
    refused = Counter(v["outcome"] for v in findings.judged if not findings.accepted(v))
    return ", ".join(f"{refused[name]} {name.replace('_', ' ')}" for name in WORST_FIRST if refused[name])


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _tests(count: int) -> str:
    return "test" if count == 1 else "tests"


def _claims(count: int) -> str:
    return "claim was" if count == 1 else "claims were"


def _subgroups(count: int) -> str:
    return "one subgroup" if count == 1 else f"{count} subgroups"

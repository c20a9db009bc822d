"""From settings to scores, curves and verdicts: what the fixtures do."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from mammo_fixtures import __version__
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.plugin.devices import take_place
from mammo_fixtures.plugin.engine_choice import device_said, engine_of, own_device
from mammo_fixtures.plugin.missing_subgroups import missing_subgroups
from mammo_fixtures.plugin.progress import FIELDS, reporter, stage_reporter, tell_early
from mammo_fixtures.plugin.run import Run
from mammo_fixtures.plugin.run_inputs import given_fields, sweep_of
from mammo_fixtures.plugin.watchdog import watch_of
from mammo_fixtures.reports.findings import severity_order
from mammo_fixtures.scoring.identical import doubt_of, identical_to_clean
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts import Curve, Verdict, curve, judge_clean, judge_severity, not_run
from mammo_fixtures.verdicts.averaging import parts_of
from mammo_fixtures.verdicts.baseline import Releases, comparison
from mammo_fixtures.verdicts.claim import Claim
from mammo_fixtures.verdicts.expectation import chance_said
from mammo_fixtures.verdicts.pooling import hidden_by_pooling
from mammo_fixtures.verdicts.selectivity import judge_more, selectivity
from mammo_fixtures.verdicts.subgroups import ALL

if TYPE_CHECKING:
    from mammo_fixtures.classifiers import Classifier
    from mammo_fixtures.exams import Cohort
    from mammo_fixtures.scoring.sweep import Sweep


def score_cohort(run: Run, cohort: Cohort, classifier: Classifier, session: pytest.Session) -> ScoreTable:
    """One pass over the cohort, shared with the other workers."""
    from mammo_fixtures.classifiers.fingerprint import fingerprint
    from mammo_fixtures.scoring.agreement import agree, identity
    from mammo_fixtures.scoring.keys import UNKEPT
    from mammo_fixtures.scoring.one_pass import Pass
    from mammo_fixtures.scoring.store import Store

    began = time.monotonic()
    settings = run.settings
    place = take_place(own_device(settings), run.number)
    sweep = sweep_of(
        settings,
        classifier,
        place.device,
        batch_size=settings.batch_size,
        neighbours=place.neighbours,
        cores=place.cores,
        fields=given_fields(settings),
        watch=watch_of(run, session, classifier.name),
    )
    # Asked of the network once it is placed, as `Pass` does.
    known = fingerprint(classifier)
    engine = engine_of(settings)
    with Store(run.store if known else run.unkept_store) as store:
        if run.worker is not None:
            with Store(run.unkept_store) as between_workers:
                mine = identity(classifier, known, sweep, cohort.exams[0])
                agree(between_workers, classifier.name, run.pass_name, mine)
        one_pass = Pass(
            cohort=cohort,
            sweep=sweep,
            conditions=run.conditions,
            store=store,
            name=run.pass_name,
            owner=run.owner(os.environ.get("PYTEST_XDIST_WORKER", "alone")),
            # Without a fingerprint, scores are shared between the workers of this run and then forgotten.
            fingerprint=known or f"{UNKEPT}{run.pass_name}",
            engine=engine,
            progress=reporter(session.config, len(cohort)),
            fitting=stage_reporter(session.config, FIELDS),
        )
        tell_early(session.config, missing_subgroups(run.relied_on, cohort))
        table = one_pass.run()
        cells, _, found = store.progress(run.pass_name) or (0, 0, 0)
        run.effort = {"scores": cells, "found": found, "seconds": time.monotonic() - began}
    run.header |= {
        "version": __version__,
        "classifier": classifier.name,
        "classifier_fingerprint": known,
        "classifier_notes": dict(classifier.notes),
        "device": device_said(engine, str(sweep.inference.device)),
        "precision": sweep.inference.arithmetic,
        "seed": settings.seed,
        "cohort": cohort.name,
        "exams": len(cohort),
        "views": sum(len(exam.views) for exam in cohort),
        "conditions": len(one_pass.conditions),
    }
    _tell(run, sweep, table, kept=bool(known))
    return table


def _tell(run: Run, sweep: Sweep, table: ScoreTable, *, kept: bool) -> None:
    """What people should know of a pass beside its scores."""
    from mammo_fixtures.scoring.needs import by_reason

    if not kept:
        run.remarks["scores were not kept: the classifier has no fingerprint; declare one in its Classifier(…)"] = None
    if sweep.batches.said:
        run.remarks[sweep.batches.said] = None
    run.remarks.update(dict.fromkeys(by_reason(table.unmet)))
    if sweep.fields is not None:
        run.header["universal_fields"] = sweep.fields.digest.hex()
        if run.settings.report is not None:
            sweep.fields.write(run.fields_file)
    for (name, severity, text), views in sorted(sweep.flags.items()):
        run.flags[f"{name} {severity:g} {PERTURBATIONS[name].unit}: {text}"] += views


@dataclass(slots=True, kw_only=True, eq=False)
class Curves:
    """The curves of a table, each computed when a claim first asks for it."""

    table: ScoreTable
    releases: Releases | None = None
    """With the baseline, where one is given."""
    as_given: bool = False
    """A table without its classifier: scores identical to clean are judged all the same, and `doubt` says so."""
    cancels: tuple[str, ...] = ()
    """Perturbations that the classifier declares to undo: under these, scores identical to clean are what it says."""
    identical: dict[Condition, float] = field(default_factory=dict)
    doubt: str = ""
    _known: dict[tuple[object, ...], Curve] = field(default_factory=dict)

    def __post_init__(self) -> None:
        identical = identical_to_clean(self.table)
        if self.as_given:
            self.doubt = doubt_of(identical)
        else:
            self.identical = {each: share for each, share in identical.items() if each.perturbation not in self.cancels}

    def __getitem__(self, claim: Claim) -> Curve:
        """The curve over all severities that the table holds of the claim's perturbation."""
        return self.of(claim, claim.subgroup)

    def of(self, claim: Claim, subgroup: str) -> Curve:
        """The curve that the claim's would be for another subgroup."""
        confidence = claim.tolerance.confidence if claim.tolerance else 0.95
        terms = (claim.operating_point, claim.prevalence, claim.readers)
        key = (claim.perturbation, subgroup, claim.metric, confidence, *terms)
        if key not in self._known:
            self._known[key] = curve(
                self.table,
                claim.perturbation,
                subgroup=subgroup,
                metric=claim.metric,
                confidence=confidence,
                unit=unit_of(claim.perturbation),
                operating_point=claim.operating_point,
                prevalence=claim.prevalence,
                readers=claim.readers,
            )
        return self._known[key]

    def ladder(self, claim: Claim) -> Curve:
        """Over clean and the claim's own conditions, mild to strong; of a table as given, over all that it has."""
        wanted = {condition.severity for condition in claim.conditions}
        whole = self[claim]
        there = {point.severity: point for point in whole.points[1:] if self.as_given or point.severity in wanted}
        points = (there[severity] for severity in severity_order(claim.perturbation, there))
        return replace(whole, points=(whole.clean, *points))


def unit_of(perturbation: str) -> str:
    """Unit of its severities."""
    return "" if perturbation == CLEAN.perturbation else PERTURBATIONS[perturbation].unit


def judge_claim(claim: Claim, curves: Curves, *, test: str) -> Verdict:
    """The verdict on a claim; one that rests on scores identical to clean is not run.

    Where a classifier may cancel the perturbation that is so only if it left no perturbation of the pass to be seen.
    """
    if claim.tolerance is None or claim.severity is None:
        return judge_clean(curves[claim], test=test)
    if claim.tolerance.claim == "not_worse":
        return judge_candidate(claim, curves, test=test)
    condition = Condition(claim.perturbation, claim.severity)
    share = curves.identical.get(condition)
    perturbed = sum(each != CLEAN and each.perturbation not in curves.cancels for each in curves.table.conditions)
    undone = PERTURBATIONS[claim.perturbation].may_be_undone(claim.severity) and len(curves.identical) < perturbed
    if share is not None and not undone:
        return not_run(
            curves[claim],
            claim.tolerance,
            claim.severity,
            test=test,
            reason=f"scores are bit-identical to clean for {share:.1%} of breasts: the clean images were scored, or "
            "the classifier does not see this change; look at how images reach the classifier",
        )
    if claim.tolerance.claim == "responds_more":
        pair = selectivity(curves.table, claim.tolerance, unit=unit_of(claim.perturbation))
        return judge_more(pair, claim.tolerance, claim.severity, test=test)
    verdict = judge_severity(curves[claim], claim.tolerance, claim.severity, test=test)
    unmet = curves.table.unmet.get(PERTURBATIONS.parts(claim.perturbation)[0], "")
    if verdict.outcome == "not_run" and unmet and not verdict.positives:
        return not_run(curves[claim], claim.tolerance, claim.severity, reason=unmet, test=test)
    if verdict.outcome == "inconclusive":
        return _with(verdict, chance_said(claim.tolerance, claim.severity, curves.table))
    if verdict.outcome != "broken" or claim.subgroup == ALL:
        return verdict
    return _with(verdict, hidden_by_pooling(verdict, claim.tolerance, curves.of(claim, ALL)))


def judge_candidate(claim: Claim, curves: Curves, *, test: str) -> Verdict:
    """The verdict on a claim against the baseline."""
    assert claim.tolerance is not None
    assert claim.severity is not None
    if curves.releases is None:
        reason = "there is no baseline to compare with; give one with --mammo-baseline=TABLE"
        return not_run(curves[claim], claim.tolerance, claim.severity, reason=reason, test=test)
    unit = unit_of(claim.perturbation)
    drawn = comparison(curves.releases, claim.tolerance, claim.severity, unit=unit)
    condition = CLEAN if claim.perturbation == CLEAN.perturbation else Condition(claim.perturbation, claim.severity)
    if not {*parts_of(condition)} <= {*curves.releases.baseline.conditions}:
        reason = f"the baseline has no scores for {condition.perturbation} {condition.severity:g}"
        return not_run(drawn, claim.tolerance, claim.severity, reason=reason, test=test)
    verdict = judge_severity(drawn, claim.tolerance, claim.severity, test=test)
    if verdict.outcome != "broken" or claim.subgroup == ALL:
        return verdict
    whole = replace(claim.tolerance, subgroup=ALL)
    pooled = comparison(curves.releases, whole, claim.severity, unit=unit)
    return _with(verdict, hidden_by_pooling(verdict, claim.tolerance, pooled))


def _with(verdict: Verdict, said: str) -> Verdict:
    """The verdict with one more sentence, before what to do next."""
    found, look_closer, names = verdict.sentence.partition(" Look closer:")
    return replace(verdict, sentence=f"{found} {said}{look_closer}{names}") if said else verdict


def provenance(run: Run, claim: Claim) -> dict[str, str]:
    """What a stored curve must share with this one to be comparable."""
    return {
        "cohort": str(run.header.get("cohort_fingerprint", "")),
        "classifier": str(run.header.get("classifier", "") or run.header.get("scores", "")),
        "record version": str(PERTURBATIONS[claim.perturbation].version),
        "seed": str(run.settings.seed),
    }

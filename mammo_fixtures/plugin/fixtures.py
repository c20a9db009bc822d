"""The fixtures of the gate; `cohort`, `classifier`, `scores` and `curves` are public names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.authors_traceback import with_traceback
from mammo_fixtures.plugin.beside_claims import tell, with_fields_beside
from mammo_fixtures.plugin.gate import Curves, judge_claim, provenance, score_cohort
from mammo_fixtures.plugin.report_inputs import drawn_beside, keep_moved, keep_pictures, wants_pictures
from mammo_fixtures.plugin.run import BESIDE, CURVE, Run, figures, run_of
from mammo_fixtures.plugin.run_inputs import load, read_exams, read_table
from mammo_fixtures.plugin.snapshots import CurveSnapshot
from mammo_fixtures.verdicts.baseline import paired, same_scores_said
from mammo_fixtures.verdicts.claim import may_stay_unjudged
from mammo_fixtures.verdicts.snapshot_text import StoredCurve
from mammo_fixtures.verdicts.summaries import in_one_number

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from mammo_fixtures.classifiers import Classifier
    from mammo_fixtures.exams import Cohort
    from mammo_fixtures.scoring.score_table import ScoreTable
    from mammo_fixtures.verdicts import Verdict
    from mammo_fixtures.verdicts.claim import Claim

NO_CLASSIFIER = "a score table is judged (--mammo-scores); no classifier runs"


@pytest.fixture(scope="session")
def mammo_run(request: pytest.FixtureRequest) -> Run:
    """Settings and state of this run."""
    return run_of(request.config)


@contextmanager
def one_line(request: pytest.FixtureRequest) -> Iterator[None]:
    """Turns unusable input into one line, and ends a run that nothing else can come of."""
    try:
        yield
    except UnusableInput as error:
        if "PYTEST_XDIST_WORKER" not in os.environ:
            hidden = request.config.option.tbstyle == "no"
            request.session.shouldfail = f"nothing can be judged{f': {error}' if hidden else ''}"
        # The causes are told in the line; pytest would print them one by one before it.
        raise pytest.fail.Exception(with_traceback(error), pytrace=False) from None


@pytest.fixture(scope="session")
def cohort(request: pytest.FixtureRequest, mammo_run: Run) -> Cohort:
    """The exams this run is about."""
    if mammo_run.settings.scores is not None:
        pytest.skip(NO_CLASSIFIER)
    with one_line(request):
        return read_exams(request.config)


@pytest.fixture(scope="session")
def classifier(request: pytest.FixtureRequest, mammo_run: Run) -> Classifier:
    """The classifier, loaded once per process."""
    if mammo_run.settings.scores is not None:
        pytest.skip(NO_CLASSIFIER)
    with one_line(request):
        return load(request.config)


@pytest.fixture(scope="session")
def scores(request: pytest.FixtureRequest, mammo_run: Run) -> Iterator[ScoreTable]:
    """The table of scores under every condition that the selected tests need."""
    with one_line(request):
        if mammo_run.settings.scores is not None:
            table = read_table(mammo_run, mammo_run.settings.scores)
            mammo_run.header |= {"scores": mammo_run.settings.scores.name}
        else:
            table = score_cohort(
                mammo_run,
                request.getfixturevalue("cohort"),
                request.getfixturevalue("classifier"),
                request.session,
            )
        mammo_run.header["cohort_fingerprint"] = table.fingerprint
        if doubt := table.doubt_of_patients:
            mammo_run.header["patients"] = doubt
            mammo_run.remarks[doubt] = None
        if mammo_run.pseudonyms is not None:
            mammo_run.header["ids"] = mammo_run.pseudonyms.told
        tell(mammo_run, table)
        if mammo_run.settings.report is not None:
            table.write(mammo_run.scores_file)
            keep_moved(mammo_run, table)
    yield table
    if wants_pictures(mammo_run):
        with one_line(request):
            keep_pictures(mammo_run, request.getfixturevalue("cohort"), request.getfixturevalue("classifier"))


@pytest.fixture(scope="session")
def curves(scores: ScoreTable, mammo_run: Run, request: pytest.FixtureRequest) -> Curves:
    """Curves by claim: `curves[claim]`."""
    settings, releases = mammo_run.settings, None
    if settings.baseline is not None:
        with one_line(request):
            releases = paired(scores, read_table(mammo_run, settings.baseline))
            mammo_run.header |= {"baseline": settings.baseline.name, "differences": list(releases.differences)}
            mammo_run.remarks.update(dict.fromkeys(filter(None, (*releases.differences, same_scores_said(releases)))))
    found = Curves(table=scores, releases=releases, as_given=settings.scores is not None, cancels=mammo_run.cancels)
    if found.doubt:
        mammo_run.remarks[found.doubt] = None
    return found


@pytest.fixture(scope="session")
def people(mammo_run: Run, request: pytest.FixtureRequest) -> ScoreTable | None:
    """Human readers' scores, which the report draws beside the classifier's curves."""
    if mammo_run.settings.people is None:
        return None
    with one_line(request):
        table = read_table(mammo_run, mammo_run.settings.people)
        mammo_run.header |= {"people": mammo_run.settings.people.name}
        return table


@pytest.fixture
def judged(mammo_run: Run, curves: Curves, request: pytest.FixtureRequest) -> Callable[[Claim], Verdict]:
    """Judges a claim, and leaves the verdict in the test's properties."""

    def judge(claim: Claim) -> Verdict:
        try:
            verdict = judge_claim(claim, curves, test=request.node.name)
        except UnusableInput as error:  # of this claim alone: a stratum or metric that the scores do not have
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        request.node.user_properties.extend(figures(verdict.as_dict()))
        allowed = may_stay_unjudged(claim, mammo_run.tolerances) and not mammo_run.settings.strict
        if verdict.outcome == "not_run" and allowed:
            pytest.skip(verdict.sentence)
        return verdict

    return judge


@pytest.fixture
def drawn(
    curves: Curves, people: ScoreTable | None, mammo_run: Run, request: pytest.FixtureRequest
) -> Callable[[Claim], StoredCurve]:
    """Draws the curve of a claim, and leaves it in the test's properties."""

    def draw(claim: Claim) -> StoredCurve:
        try:
            curve = curves.ladder(claim)
        except UnusableInput as error:  # of this curve alone, as above
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        if not any(point.positives or point.negatives for point in curve.points[1:]):
            reason = curves.table.unmet.get(claim.perturbation) or "there are no scores under it"
            pytest.skip(f"no curve over {claim.perturbation}: {reason}")
        now = StoredCurve(curve=curve, provenance=provenance(mammo_run, claim))
        told = with_fields_beside(curve, curves.table) | in_one_number(curves.table, curve, mammo_run.tolerances)
        request.node.user_properties.append((CURVE, json.dumps(told)))
        if mammo_run.settings.report is not None:
            beside = drawn_beside(mammo_run, claim, now, curves.releases, people)
            request.node.user_properties += [(BESIDE, json.dumps(each)) for each in beside]
        if mammo_run.settings.snapshots is None:
            pytest.skip("no snapshot folder for this classifier and cohort; give one with --mammo-snapshots=DIR")
        return now

    return draw


@pytest.fixture
def curve_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The stored curve, equal within its tolerance."""
    return snapshot.use_extension(CurveSnapshot)

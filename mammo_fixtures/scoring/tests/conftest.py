"""What the self-tests of scoring share."""

from __future__ import annotations

import pytest

from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.scoring import Condition
from mammo_fixtures.scoring.one_pass import Pass
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.tiny_cohort import PLAN, view_level


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "scores.sqlite"


@pytest.fixture
def store(path):
    opened = Store(path)
    yield opened
    opened.close()


@pytest.fixture
def run(tmp_path):
    """Runs a pass over a cohort with the store of this test; gives the table, images scored and views decoded."""
    path = tmp_path / "scores.sqlite"

    def run(cohort, plan=PLAN, classifier=None, *, seed=0, precision="fp32", fields=None, **keywords):
        tiny_cohort.scored.clear()
        inference = Inference(classifier or view_level(), device="cpu", precision=precision)
        conditions = [Condition(name, severity) for name, severities in plan.items() for severity in severities]
        with Store(path) as store:
            pass_ = Pass(
                cohort=cohort,
                sweep=Sweep(inference=inference, seed=seed, fields=fields),
                conditions=conditions,
                store=store,
                **keywords,
            )
            return pass_.run(), sum(tiny_cohort.scored), pass_.decoded

    run.store = path
    return run

"""A killed run leaves what it had; the next one does the rest. A share of `python -m mammo_fixtures.tests.killing`."""

import numpy as np
import pytest

from mammo_fixtures import ScoreTable
from mammo_fixtures.scoring.tests.comparing import by_hand
from mammo_fixtures.tests.killing.moments import Moment, kill_and_resume, moments
from mammo_fixtures.tests.killing.project import IMAGES, IMAGES_OF_A_CHUNK, Project, kill_group, wait_until


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project.make(tmp_path_factory.mktemp("killed"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def undisturbed(project):
    status, said = project.ended(project.begin(0, "undisturbed"))
    assert project.images() == IMAGES, said
    return {"status": status, "table": project.table("undisturbed")}


@pytest.mark.parametrize(
    ("workers", "moment"),
    [
        (0, Moment(victim="all", images=IMAGES // 3, seconds=0.004)),
        (2, Moment(victim="first", images=IMAGES // 2, seconds=0.004)),
    ],
    ids=["alone", "the controller of two workers"],
)
def test_a_resumed_run_is_as_if_nothing_had_happened(project, undisturbed, workers, moment):
    outcome = kill_and_resume(project, moment, workers=workers, **undisturbed)
    assert not outcome.faults
    assert outcome.stored > 0
    assert outcome.computed - IMAGES <= max(workers, 1) * IMAGES_OF_A_CHUNK
    if not workers:
        assert outcome.stored < IMAGES, "midway"


def test_moments_are_random_but_the_same_for_a_seed():
    drawn = moments(3, 10, workers=2, run_seconds=5.0)
    assert drawn == moments(3, 10, workers=2, run_seconds=5.0)
    assert drawn != moments(4, 10, workers=2, run_seconds=5.0)
    assert {moment.victim for moment in drawn} == {"all", "worker", "first"}
    assert sum(moment.images is not None for moment in drawn) == 5


def test_two_runs_at_once_on_one_store_end_as_if_alone_though_a_third_is_killed(project, undisturbed):
    """Over the same exams and over a part of them: nobody waits for another, and each reads the same scores."""
    project.forget()
    part = 20
    killed = project.begin(0)
    whole = project.begin(0, "whole")
    some = project.begin(0, "some", manifest=project.part(part))
    wait_until(lambda: project.images() > IMAGES // 3, killed)
    kill_group(killed)
    statuses = [project.ended(run)[0] for run in (killed, whole, some)]
    assert statuses[1] == undisturbed["status"]
    assert project.table("whole") == undisturbed["table"]
    expected = ScoreTable.read(project.folder / "undisturbed" / "scores.csv.gz")
    found = ScoreTable.read(project.folder / "some" / "scores.csv.gz")
    mine = np.isin(expected.exam_id, [str(number) for number in range(part)])
    assert found.exam_id.tolist() == expected.exam_id[mine].tolist()
    assert np.array_equal(found.scores, expected.scores[:, mine])
    assert by_hand(project.store, "PRAGMA integrity_check") == [("ok",)]

"""On a Ray cluster of two nodes the table is the local one, also when a node is lost; the gate starts its own Ray."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from functools import partial

import numpy as np
import pytest

from mammo_fixtures import read_cohort
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.engines.ray import RayEngine
from mammo_fixtures.scoring.engines.ray_session import connected
from mammo_fixtures.scoring.tests import tiny_cohort
from mammo_fixtures.scoring.tests.ray_exams import together
from mammo_fixtures.scoring.tests.tiny_cohort import CONDITIONS, on_disk, view_level

pytest.importorskip("ray", reason="the extra `ray` is not installed; tox -e ray installs it")
pytestmark = [
    # Ray leaves sockets and processes to the garbage collector.
    pytest.mark.filterwarnings("ignore"),
]
EXAMS = 32
"""Eight chunks."""


@pytest.fixture(scope="module")
def cluster():
    """A head without a core, and two worker nodes with one each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    started.workers = [started.add_node(num_cpus=1) for _ in range(2)]
    yield started
    started.shutdown()


@pytest.fixture(autouse=True)
def _unpaced():
    yield
    tiny_cohort.pace_seconds[0] = 0.0


@pytest.fixture
def manifest(tmp_path):
    return on_disk(tmp_path, EXAMS)


def test_the_same_table_on_two_nodes(manifest, run, cluster):
    engine = RayEngine(load=view_level, address=cluster.address)
    told = []
    table, images, decoded = run(read_cohort(manifest), engine=engine, progress=lambda *state: told.append(state))
    assert (images, decoded) == (0, 2 * EXAMS), "all of them elsewhere"
    assert engine.ran_on == "cpu × 2 (Ray)"
    cells = 2 * EXAMS * CONDITIONS
    assert told[-1] == (cells, cells, 0)
    assert len({computed for _, computed, _ in told}) > 2, "chunks are written as they come"
    again, _, decoded = run(read_cohort(manifest), engine=engine)
    assert decoded == 0
    run.store.unlink()
    local, _, _ = run(read_cohort(manifest))
    np.testing.assert_allclose(table.scores, local.scores, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(again.scores, table.scores)


def test_an_unusable_exam_ends_the_pass_with_its_line(manifest, run, cluster):
    cohort = read_cohort(manifest)
    (manifest.parent / "30_R.png").unlink()
    with pytest.raises(UnusableInput, match=r"^exam 30, R-CC: the image must be a readable file"):
        run(cohort, engine=RayEngine(load=view_level, address=cluster.address))


def test_no_gpu_in_the_cluster_is_one_line(manifest, run, cluster):
    with pytest.raises(
        UnusableInput, match=r"^the Ray cluster must have a GPU for the classifier, got 3 nodes with none"
    ):
        run(read_cohort(manifest), engine=RayEngine(load=view_level, address=cluster.address, device="cuda"))


def test_the_same_table_when_a_node_is_lost_midway(manifest, run, cluster, tmp_path):
    """Last of its cluster: one of the two nodes is gone after it. Both have work in hand when it goes."""
    lost, begun = [], tmp_path / "begun"
    begun.mkdir()

    def lose_a_node(cells, computed, found):
        if computed and not lost:
            lost.append(computed)
            cluster.remove_node(cluster.workers.pop(), allow_graceful=False)

    load = partial(together, begun, 2)
    engine = RayEngine(load=load, address=cluster.address)
    table, _, _ = run(read_cohort(manifest), classifier=load(), engine=engine, progress=lose_a_node)
    assert 0 < lost[0] < EXAMS * CONDITIONS, "midway"
    run.store.unlink()
    local, _, _ = run(read_cohort(manifest))
    np.testing.assert_allclose(table.scores, local.scores, rtol=0, atol=1e-6)
    assert len(list(begun.iterdir())) == 2
    assert engine.ran_on == "cpu × 1 (Ray)", "what was left of it went on"


def test_an_address_where_nobody_answers_is_one_line():
    message = r"^Ray at 127.0.0.1:9 must answer, got: Connection refused; start it with `ray start --head`, correct"
    with pytest.raises(UnusableInput, match=message), connected("127.0.0.1:9"):
        pass


GATE = """
    import torch
    from mammo_fixtures import Classifier

    class Brightness(torch.nn.Module):
        def forward(self, batch):
            return batch.double().mean(dim=(1, 2, 3))

    def load():
        return Classifier(Brightness(), name="brightness")
"""


def test_the_gate_starts_a_ray_of_its_own(tmp_path, manifest):
    (tmp_path / "release.py").write_text(textwrap.dedent(GATE))

    def gate(report, *arguments):
        command = [
            sys.executable, "-m", "robustness_tests", "--mammo-classifier=release:load", f"--mammo-exams={manifest}",
            "-k", "test_clean and all", f"--mammo-report={report}", "--mammo-store=none", "--mammo-device=cpu",
            *arguments,
        ]  # fmt: skip
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)

    result = gate("ray", "--mammo-engine=ray")
    assert "mammo: engine ray at this machine, device cpu" in result.stdout, result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert re.search(r"from_items|streaming_executor|Usage stats", result.stdout + result.stderr) is None
    gate("local")
    from mammo_fixtures import ScoreTable

    tables = [ScoreTable.read(tmp_path / name / "scores.csv.gz") for name in ("ray", "local")]
    np.testing.assert_allclose(tables[0].scores, tables[1].scores, rtol=0, atol=1e-6)
    assert '"device": "cpu × ' in (tmp_path / "ray" / "verdicts.json").read_text()

"""Workers take the visible GPUs in turn and share what there are too few of; a CPU's threads are divided."""

import pytest

from mammo_fixtures.plugin import devices
from mammo_fixtures.plugin.devices import Place, place_of, workers_line


@pytest.mark.parametrize(
    ("worker", "workers", "wanted", "gpus", "place"),
    [
        ("", 1, "auto", 2, Place(device="auto")),
        ("gw0", 1, "auto", 2, Place(device="auto")),
        ("gw0", 2, "auto", 2, Place(device="cuda:0")),
        ("gw1", 2, "auto", 2, Place(device="cuda:1")),
        ("gw1", 2, "cuda", 4, Place(device="cuda:1")),
        ("gw0", 3, "auto", 2, Place(device="cuda:0", neighbours=2)),
        ("gw1", 3, "auto", 2, Place(device="cuda:1", neighbours=1)),
        ("gw2", 3, "auto", 2, Place(device="cuda:0", neighbours=2)),
        ("gw5", 2, "auto", 2, Place(device="cuda:1")),
        ("gw1", 3, "cuda:1", 2, Place(device="cuda:1", neighbours=3)),
        ("gw1", 2, "auto", 0, Place(device="auto", threads=4)),
        ("gw1", 20, "cpu", 2, Place(device="cpu", threads=1)),
        ("gw1", 2, "cuda", 0, Place(device="cuda")),
    ],
)
def test_where_a_worker_computes(worker, workers, wanted, gpus, place):
    assert place_of(worker, workers=workers, wanted=wanted, gpus=gpus, threads=8) == place


@pytest.mark.parametrize(
    ("wanted", "workers", "gpus", "line"),
    [
        ("auto", 2, 0, "mammo: 2 workers share the exams and the CPU's threads"),
        ("cpu", 2, 4, "mammo: 2 workers share the exams and the CPU's threads"),
        ("auto", 2, 4, "mammo: 2 workers share the exams, each on a GPU of its own (4 visible)"),
        ("auto", 3, 2, "mammo: 3 workers share the exams and, by memory, 2 visible GPUs"),
        ("cuda", 3, 1, "mammo: 3 workers share the exams and, by memory, 1 visible GPU"),
        ("cuda:1", 3, 2, "mammo: 3 workers share the exams and the memory of cuda:1"),
    ],
)
def test_the_header_says_how_workers_share(monkeypatch, wanted, workers, gpus, line):
    monkeypatch.setattr(devices, "_has_driver", lambda: gpus > 0)
    monkeypatch.setattr(devices, "_visible_gpus", lambda: gpus)
    assert workers_line(wanted, workers) == line

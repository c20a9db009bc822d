"""Workers take the visible GPUs in turn and share what there are too few of; the CPU's threads are divided."""

import pytest

from mammo_fixtures.plugin import devices
from mammo_fixtures.plugin.devices import Numbers, Place, place_of, take_place, workers_line


@pytest.mark.parametrize(
    ("number", "workers", "wanted", "gpus", "place"),
    [
        (None, 1, "auto", 2, Place(device="auto", threads=8)),
        (0, 1, "auto", 2, Place(device="auto", threads=8)),
        (0, 2, "auto", 2, Place(device="cuda:0", threads=4, cores=8)),
        (1, 2, "auto", 2, Place(device="cuda:1", threads=4, cores=8)),
        (1, 2, "cuda", 4, Place(device="cuda:1", threads=4, cores=8)),
        (0, 3, "auto", 2, Place(device="cuda:0", neighbours=2, threads=2, cores=5)),
        (1, 3, "auto", 2, Place(device="cuda:1", neighbours=1, threads=2, cores=5)),
        (2, 3, "auto", 2, Place(device="cuda:0", neighbours=2, threads=2, cores=5)),
        (1, 3, "cuda:1", 2, Place(device="cuda:1", neighbours=3, threads=2, cores=5)),
        (1, 2, "auto", 0, Place(device="auto", threads=4)),
        (1, 20, "cpu", 2, Place(device="cpu", threads=1)),
        (1, 2, "cuda", 0, Place(device="cuda")),
    ],
)
def test_where_a_worker_computes(number, workers, wanted, gpus, place):
    assert place_of(number, workers=workers, wanted=wanted, gpus=gpus, threads=8, cores=16) == place


@pytest.mark.parametrize(
    ("cores", "chosen", "workers", "threads"),
    [(3, None, 1, 3), (3, None, 2, 1), (16, None, 1, 8), (3, "8", 1, 8), (3, "8", 2, 4)],
)
def test_threads_are_no_more_than_a_container_may_use_unless_chosen(monkeypatch, cores, chosen, workers, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", str(workers))
    taken = [8]
    monkeypatch.setattr("torch.get_num_threads", lambda: taken[-1])
    monkeypatch.setattr("torch.set_num_threads", taken.append)
    monkeypatch.setattr(devices, "usable_cores", lambda: cores)
    assert take_place("cpu", 0).threads == threads
    assert taken == ([8] if threads == 8 else [8, threads])


@pytest.mark.parametrize("dead", ["gw0", "gw1", "gw2"])
def test_who_replaces_a_dead_worker_takes_its_gpu(dead):
    numbers = Numbers()
    workers = {worker: numbers.take(worker) for worker in ("gw0", "gw1", "gw2")}
    assert list(workers.values()) == [0, 1, 2]
    numbers.leave(dead)
    assert numbers.take("gw3") == workers[dead]
    numbers.leave("gw3")
    assert numbers.take("gw4") == workers[dead]
    assert numbers.take("gw5") == 3


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
    monkeypatch.setattr(devices, "visible_gpus", lambda: gpus)
    assert workers_line(wanted, workers) == line

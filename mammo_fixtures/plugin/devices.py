"""Which worker computes where: GPUs of the caller's visible list, and a share of the CPU's threads."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from mammo_fixtures.machine_share import usable_cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one process computes."""

    device: str
    neighbours: int = 1
    """Processes on the same device, this one included; they share its memory."""
    threads: int | None = None
    """Of torch; None leaves them as they are."""
    cores: int | None = None
    """Beside a GPU, for this process and what reads views for it; None: all that it may run on."""


class Numbers:
    """Numbers of the workers that live, from 0; one that replaces a dead one takes the number that it left."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def take(self, worker: str) -> int:
        """The least number that no other worker has."""
        self._of[worker] = next(number for number in count() if number not in self._of.values())
        return self._of[worker]

    def leave(self, worker: str) -> None:
        self._of.pop(worker, None)


def place_of(number: int | None, *, workers: int, wanted: str, gpus: int, threads: int, cores: int) -> Place:
    """The place of the worker with that number, or of a process alone, which has none.

    Workers take the visible GPUs in turn; torch counts them as CUDA_VISIBLE_DEVICES lists them.
    """
    if number is None or workers < 2:
        return Place(device=wanted, threads=threads)
    share = max(1, threads // workers)
    if wanted == "cpu" or (wanted == "auto" and not gpus):
        return Place(device=wanted, threads=share)
    if wanted not in ("auto", "cuda"):
        return Place(device=wanted, neighbours=workers, threads=share, cores=max(1, cores // workers))
    if not gpus:
        return Place(device=wanted)  # which is refused when it is looked for
    gpu = number % gpus
    neighbours = len(range(gpu, workers, gpus)) or 1
    return Place(device=f"cuda:{gpu}", neighbours=neighbours, threads=share, cores=max(1, cores // workers))


def threads_to_use() -> int:
    """Of torch, for all processes of this run: what OMP_NUM_THREADS says, else no more than the usable cores.

    torch counts the machine's cores; where a container may use few of them, more threads only wait for one another.
    """
    import torch

    threads = torch.get_num_threads()
    return threads if "OMP_NUM_THREADS" in os.environ else min(threads, usable_cores())


def take_place(wanted: str, number: int | None) -> Place:
    """The place of this process, the worker with that number; its threads are set. Called once a process."""
    import torch

    place = _own_place(wanted, number)
    if place.threads not in (None, torch.get_num_threads()):
        torch.set_num_threads(place.threads)
    return place


def device_of(wanted: str, number: int | None) -> str:
    """The device of this process, the worker with that number."""
    return _own_place(wanted, number).device


def _own_place(wanted: str, number: int | None) -> Place:
    return place_of(
        number,
        workers=int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
        wanted=wanted,
        gpus=visible_gpus(),
        threads=threads_to_use(),
        cores=usable_cores(),
    )


def workers_line(wanted: str, workers: int) -> str:
    """For the header of a run with several workers: how they share what there is."""
    # Without a driver no torch is imported, which takes a second.
    gpus = visible_gpus() if wanted != "cpu" and _has_driver() else 0
    if wanted == "cpu" or not gpus:
        return f"mammo: {workers} workers share the exams and the CPU's threads"
    if wanted not in ("auto", "cuda"):
        return f"mammo: {workers} workers share the exams and the memory of {wanted}"
    if workers <= gpus:
        return f"mammo: {workers} workers share the exams, each on a GPU of its own ({gpus} visible)"
    return f"mammo: {workers} workers share the exams and, by memory, {gpus} visible GPU{'s' * (gpus > 1)}"


def _has_driver() -> bool:
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def visible_gpus() -> int:
    """As CUDA_VISIBLE_DEVICES lists them; none where they cannot be used."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0

"""Which worker computes where: GPUs of the caller's visible list, and a share of the CPU's threads."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one process computes."""

    device: str
    neighbours: int = 1
    """Processes on the same device, this one included; they share its memory."""
    threads: int | None = None
    """Of torch, on the CPU; None leaves them as they are."""


def place_of(worker: str, *, workers: int, wanted: str, gpus: int, threads: int) -> Place:
    """The place of worker `gw0`, `gw1`, …, or of a process alone, whose `worker` is empty.

    Workers take the visible GPUs in turn; torch counts them as CUDA_VISIBLE_DEVICES lists them.
    """
    if not worker or workers < 2:
        return Place(device=wanted)
    if wanted == "cpu" or (wanted == "auto" and not gpus):
        return Place(device=wanted, threads=max(1, threads // workers))
    if wanted not in ("auto", "cuda"):
        return Place(device=wanted, neighbours=workers)
    if not gpus:
        return Place(device=wanted)  # which is refused when it is looked for
    number = int(worker.removeprefix("gw")) % gpus
    return Place(device=f"cuda:{number}", neighbours=len(range(number, workers, gpus)) or 1)


def take_place(wanted: str) -> Place:
    """The place of this process; its threads are set. Called once a process."""
    import torch

    place = _own_place(wanted)
    if place.threads is not None:
        torch.set_num_threads(place.threads)
    return place


def device_of(wanted: str) -> str:
    """The device of this process."""
    return _own_place(wanted).device


def _own_place(wanted: str) -> Place:
    import torch

    return place_of(
        os.environ.get("PYTEST_XDIST_WORKER", ""),
        workers=int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
        wanted=wanted,
        gpus=torch.cuda.device_count() if torch.cuda.is_available() else 0,
        threads=torch.get_num_threads(),
    )


def workers_line(wanted: str, workers: int) -> str:
    """For the header of a run with several workers: how they share what there is."""
    # Without a driver no torch is imported, which takes a second.
    gpus = _visible_gpus() if wanted != "cpu" and _has_driver() else 0
    if wanted == "cpu" or not gpus:
        return f"mammo: {workers} workers share the exams and the CPU's threads"
    if wanted not in ("auto", "cuda"):
        return f"mammo: {workers} workers share the exams and the memory of {wanted}"
    if workers <= gpus:
        return f"mammo: {workers} workers share the exams, each on a GPU of its own ({gpus} visible)"
    return f"mammo: {workers} workers share the exams and, by memory, {gpus} visible GPU{'s' * (gpus > 1)}"


def _has_driver() -> bool:
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def _visible_gpus() -> int:
    import torch

    return torch.cuda.device_count()

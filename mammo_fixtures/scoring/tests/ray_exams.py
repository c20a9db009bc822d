"""What actors of Ray load in the self-tests; they import it by name."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.scoring.tests.tiny_cohort import Pattern, pace_seconds, view_level

TOGETHER_SECONDS = 120.0
"""For as many actors as are expected to start."""


class Together(Pattern):
    """Scores nothing before so many nodes have work in hand, whichever of them started first."""

    def __init__(self, folder: Path, nodes: int) -> None:
        super().__init__()
        self._folder, self._nodes = folder, nodes

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        import ray

        (self._folder / ray.get_runtime_context().get_node_id()).touch()
        until = time.monotonic() + TOGETHER_SECONDS
        while len(list(self._folder.iterdir())) < self._nodes and time.monotonic() < until:
            time.sleep(0.01)
        return super().forward(batch)


def together(folder: Path, nodes: int) -> Classifier:
    """A network slow enough for a node to be lost before its work is done."""
    pace_seconds[0] = 0.02
    return view_level(Together(folder, nodes), fingerprint="the pattern")

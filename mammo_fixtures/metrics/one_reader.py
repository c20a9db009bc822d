"""From a metric of one reader to the mean over readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.metrics.metric import Reading, Terms
from mammo_fixtures.metrics.placements import Placements, share_kept

if TYPE_CHECKING:
    from numpy.typing import NDArray


def over_readers(
    one: Callable[[NDArray[np.float64], NDArray[np.float64], Terms], Reading],
    positives: NDArray[np.float64],
    negatives: NDArray[np.float64],
    terms: Terms,
) -> Reading:
    """Mean over readers, from scores (conditions, breasts, readers), of what `one` makes of (conditions, breasts)."""
    return averaged([one(positives[:, :, r], negatives[:, :, r], terms) for r in range(positives.shape[2])])


def averaged(readings: Sequence[Reading]) -> Reading:
    """The mean over readers of readings of the same breasts."""
    if len(readings) == 1:
        return readings[0]

    def mean(name: str) -> NDArray[np.float64] | None:
        columns = [getattr(reading, name) for reading in readings]
        return None if columns[0] is None else np.asarray(np.mean(columns, axis=0))

    negatives = np.mean([reading.placements.negatives for reading in readings], axis=0)
    return Reading(
        placements=Placements(
            positives=np.mean([reading.placements.positives for reading in readings], axis=0),
            negatives=negatives,
            kept=share_kept(negatives[0], float(np.mean([one.placements.negatives[0].var() for one in readings]))),
        ),
        fell=mean("fell"),
        rose=mean("rose"),
        breasts=float(np.mean([reading.breasts for reading in readings])),
        bias=mean("bias"),
        lost=mean("lost"),
        alarm=mean("alarm"),
        readers=sum(reading.readers for reading in readings),
        others=_averaged_others(readings),
        against=float(np.mean([reading.against for reading in readings])),
    )


def _averaged_others(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Means over the readers' other readings; a reader without any counts as read."""
    if not any(reading.others for reading in readings):
        return ()
    return tuple(
        averaged([reading.others[place] if reading.others else reading for reading in readings]) for place in range(2)
    )

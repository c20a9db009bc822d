"""What actors of Ray load in the self-tests; they import it by name."""

from __future__ import annotations

from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.scoring.tests.tiny_cohort import pace_seconds, view_level


def unhurried() -> Classifier:
    """A network slow enough for a node to be lost before its work is done."""
    pace_seconds[0] = 0.02
    return view_level()

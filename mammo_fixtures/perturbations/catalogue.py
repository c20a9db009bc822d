"""The ordered catalogue: a new perturbation is one function, one record and one entry here."""

from __future__ import annotations

from mammo_fixtures.perturbations.acquisition import GAUSSIAN_NOISE
from mammo_fixtures.perturbations.display import CONTRAST
from mammo_fixtures.perturbations.frequency import LOWPASS
from mammo_fixtures.perturbations.geometry import ROTATION
from mammo_fixtures.perturbations.registry import Registry

PERTURBATIONS = Registry((LOWPASS, GAUSSIAN_NOISE, CONTRAST, ROTATION))

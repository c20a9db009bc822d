"""Perturbations: what can happen to a view, by physical cause, in physical units."""

from mammo_fixtures.perturbations.catalogue import PERTURBATIONS
from mammo_fixtures.perturbations.perturb import apply, perturb
from mammo_fixtures.perturbations.record import Perturbation
from mammo_fixtures.perturbations.shared import Shared

__all__ = ["PERTURBATIONS", "Perturbation", "Shared", "apply", "perturb"]

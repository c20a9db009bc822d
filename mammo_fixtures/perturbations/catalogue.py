"""The ordered catalogue: a new perturbation is one function, one record and one entry here."""

from __future__ import annotations

from mammo_fixtures.perturbations.acquisition import GAUSSIAN_NOISE, UNIFORM_NOISE
from mammo_fixtures.perturbations.acquisition_blur import FOCAL_BLUR
from mammo_fixtures.perturbations.detector import DETECTOR_LINES, GRID_LINES, IMPULSE_NOISE
from mammo_fixtures.perturbations.display import (
    BIT_DEPTH,
    BRIGHTNESS,
    CONTRAST,
    LOCAL_EQUALISATION,
    SHARPENING,
    WINDOW,
)
from mammo_fixtures.perturbations.fourier import FOURIER_MASK, PHASE_NOISE
from mammo_fixtures.perturbations.frequency import BANDSTOP, LOWPASS
from mammo_fixtures.perturbations.geometry import CROP, ELASTIC, MAGNIFICATION, MIRROR, POSTERIOR_CUT, ROTATION
from mammo_fixtures.perturbations.registry import Registry
from mammo_fixtures.perturbations.storage import DOWNSAMPLE, SPACING_MISDECLARED

PERTURBATIONS = Registry(
    (
        LOWPASS,
        BANDSTOP,
        FOURIER_MASK,
        PHASE_NOISE,
        GAUSSIAN_NOISE,
        FOCAL_BLUR,
        UNIFORM_NOISE,
        IMPULSE_NOISE,
        DETECTOR_LINES,
        GRID_LINES,
        CONTRAST,
        BRIGHTNESS,
        WINDOW,
        SHARPENING,
        LOCAL_EQUALISATION,
        BIT_DEPTH,
        DOWNSAMPLE,
        SPACING_MISDECLARED,
        ROTATION,
        POSTERIOR_CUT,
        MAGNIFICATION,
        CROP,
        MIRROR,
        ELASTIC,
    )
)

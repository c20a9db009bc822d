"""The ordered catalogue: a new perturbation is one function, one record and one entry here."""

from __future__ import annotations

from mammo_fixtures.perturbations.acquisition import GAUSSIAN_NOISE, QUANTUM_NOISE, UNIFORM_NOISE
from mammo_fixtures.perturbations.acquisition_blur import FOCAL_BLUR, MOTION_BLUR
from mammo_fixtures.perturbations.adversarial import FGSM, PGD_L2, PGD_LINF
from mammo_fixtures.perturbations.detector import DETECTOR_LINES, GRID_LINES, IMPULSE_NOISE
from mammo_fixtures.perturbations.display import (
    BIT_DEPTH,
    BRIGHTNESS,
    CONTRAST,
    GAMMA_DARKER,
    GAMMA_LIGHTER,
    LOCAL_EQUALISATION,
    SHARPENING,
    WINDOW,
)
from mammo_fixtures.perturbations.exam_views import MISSING_VIEW, VIEW_SWAP
from mammo_fixtures.perturbations.fourier import FOURIER_MASK, PHASE_NOISE
from mammo_fixtures.perturbations.fourier_map import FOURIER_CELLS, FOURIER_MAP
from mammo_fixtures.perturbations.frequency import BANDSTOP, HIGHPASS, LOWPASS
from mammo_fixtures.perturbations.geometry import (
    CROP,
    ELASTIC,
    MAGNIFICATION,
    MIRROR,
    POSTERIOR_CUT,
    ROTATION,
    TRANSLATION,
)
from mammo_fixtures.perturbations.marker import MARKER
from mammo_fixtures.perturbations.region import LOWPASS_INSIDE, LOWPASS_OUTSIDE, OCCLUSION, PATCH_SHUFFLE
from mammo_fixtures.perturbations.registry import Registry
from mammo_fixtures.perturbations.resampling_control import CONTROLS
from mammo_fixtures.perturbations.storage import DOWNSAMPLE, JPEG2000, SPACING_MISDECLARED
from mammo_fixtures.perturbations.universal import UNIVERSAL

PERTURBATIONS = Registry(
    (
        LOWPASS,
        HIGHPASS,
        BANDSTOP,
        FOURIER_MASK,
        PHASE_NOISE,
        GAUSSIAN_NOISE,
        QUANTUM_NOISE,
        MOTION_BLUR,
        FOCAL_BLUR,
        UNIFORM_NOISE,
        IMPULSE_NOISE,
        DETECTOR_LINES,
        GRID_LINES,
        CONTRAST,
        BRIGHTNESS,
        GAMMA_LIGHTER,
        GAMMA_DARKER,
        WINDOW,
        SHARPENING,
        LOCAL_EQUALISATION,
        BIT_DEPTH,
        JPEG2000,
        DOWNSAMPLE,
        SPACING_MISDECLARED,
        ROTATION,
        TRANSLATION,
        POSTERIOR_CUT,
        MAGNIFICATION,
        CROP,
        MIRROR,
        ELASTIC,
        LOWPASS_INSIDE,
        LOWPASS_OUTSIDE,
        OCCLUSION,
        MARKER,
        PATCH_SHUFFLE,
        MISSING_VIEW,
        VIEW_SWAP,
        FGSM,
        PGD_LINF,
        PGD_L2,
        UNIVERSAL,
    ),
    beside=(FOURIER_MAP, *FOURIER_CELLS, *CONTROLS),
)

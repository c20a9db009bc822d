"""Low-pass filters to hold ours against: the form in which it was published, and the exact one in float64."""

import numpy as np
from scipy import fft

from mammo_fixtures import View


def published(pixels, wavelength_mm, spacing_mm):
    """A Gaussian over DFT bins on a shifted complex128 transform, magnitude, then min–max to the old range.

    Written after the published study's description, a transform for each severity; the radius that bins stand for
    is the longer axis's.
    """
    rows, columns = pixels.shape
    radius = max(rows, columns) * spacing_mm / wavelength_mm
    row, column = np.indices(pixels.shape)
    distance = np.sqrt((row - rows / 2) ** 2 + (column - columns / 2) ** 2)
    mask = np.exp(-(distance**2) / (2 * radius**2))
    spectrum = np.fft.fftshift(np.fft.fft2(pixels)) * mask
    filtered = np.abs(np.fft.ifft2(np.fft.ifftshift(spectrum)))
    filtered = (filtered - filtered.min()) / (filtered.max() - filtered.min())
    return filtered * (pixels.max() - pixels.min()) + pixels.min()


def exact(view: View, wavelength_mm):
    """Symmetric edges and the radial mask in cycles/mm, in float64."""
    coefficients = fft.dctn(view.pixels.astype(np.float64), type=2)
    squares = [
        (np.arange(length) / (2 * length * mm)) ** 2
        for length, mm in zip(view.shape, view.pixel_spacing_mm, strict=True)
    ]
    squared = squares[0][:, None] + squares[1]
    return fft.idctn(coefficients * np.exp(-squared * wavelength_mm**2 / 2), type=2)

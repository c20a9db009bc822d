"""What the severities of one view share: each quantity is computed once, when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.shared_breast import SharedBreast

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from mammo_fixtures.exams import View
    from mammo_fixtures.perturbations.adversarial import Ascent
    from mammo_fixtures.perturbations.breast_mask import Box
    from mammo_fixtures.perturbations.equalisation import Equalisation
    from mammo_fixtures.perturbations.noise_law import NoiseLaw
    from mammo_fixtures.perturbations.occlusion_place import OcclusionPlaces
    from mammo_fixtures.perturbations.record import Perturbation
    from mammo_fixtures.perturbations.storage import CodedBreast


class Shared(SharedBreast):
    """A view on its device, and lazily what perturbations ask of it by name.

    Tensors are float32 (rows, columns) unless said otherwise, and are not to be changed.
    """

    def __init__(self, view: View, *, device: str | torch.device = "cpu", seed: int = 0) -> None:
        super().__init__(view, device=device)
        self.key: Key = Key(exam_id=view.exam_id, side=view.side, position=view.position, seed=seed)
        self.universal_fields: Mapping[str, torch.Tensor] | None = None
        """Fields by position that were fitted to the classifier; who scores gives them."""
        self.classifier_pixels_mm: tuple[float, float] | None = None
        """Rows and columns of the coarsest pixels that the view passes through before the network; who scores tells."""

    @property
    def classifier_pixel_mm(self) -> float | None:
        """The finer side of those pixels: what lies beyond it, the classifier sees in no direction."""
        return None if self.classifier_pixels_mm is None else min(self.classifier_pixels_mm)

    def of(self, record: Perturbation) -> dict[str, object]:
        """The keyword arguments that a record's function shares between severities."""
        return {name: getattr(self, name) for name in record.shares}

    @cached_property
    def spectrum(self) -> torch.Tensor:
        """DCT-II coefficients."""
        from mammo_fixtures.perturbations.cosine_transform import forward

        return forward(self.pixels)

    @cached_property
    def normal_field(self) -> torch.Tensor:
        """The view's standard-normal field, drawn on the CPU."""
        return self.on_device(self.normal_array)

    @cached_property
    def normal_array(self) -> NDArray[np.float32]:
        from mammo_fixtures.perturbations.fields import normal_array

        return normal_array(self.key, "normal field", self.view.shape)

    @cached_property
    def uniform_field(self) -> torch.Tensor:
        """Uniform in ±1 in the breast, 0 in the background."""
        return (self.on_device(self.uniform_array) * 2).sub_(1).mul_(self.mask)

    @cached_property
    def uniform_array(self) -> NDArray[np.float32]:
        """Uniform in [0, 1)."""
        from mammo_fixtures.perturbations.fields import uniform_array

        return uniform_array(self.key, "uniform field", self.view.shape)

    @cached_property
    def signal_blocks(self) -> NDArray[np.float32]:
        """Mean of the breast in blocks of about 0.5 mm."""
        from mammo_fixtures.perturbations.noise_law import local_signal

        return local_signal(self.view.pixels, self.mask_array, self.spacing_mm)

    @cached_property
    def local_signal(self) -> torch.Tensor:
        """The breast smoothed over about 0.5 mm, 0 in the background."""
        from mammo_fixtures.perturbations.noise_law import on_pixels

        return on_pixels(self.signal_blocks, self.mask, self.spacing_mm)

    @cached_property
    def quantum_field(self) -> torch.Tensor:
        """Noise like the view's own: its variance at each signal, its spectrum, 0 in the background."""
        from mammo_fixtures.perturbations.acquisition import shaped_noise
        from mammo_fixtures.perturbations.noise_law import on_pixels

        deviation = on_pixels(self.noise_blocks, self.mask, self.spacing_mm)
        return deviation.mul_(shaped_noise(self.normal_field, self.spacing_mm, self.noise_half_per_mm))

    @cached_property
    def noise_law(self) -> NoiseLaw:
        """The view's own noise against signal, as measured, and its spectrum."""
        from mammo_fixtures.perturbations.noise_law import measured_law

        return measured_law(self.view.pixels, self.mask_array, self.signal_blocks, self.spacing_mm)

    @cached_property
    def noise_half_per_mm(self) -> float:
        """Cycles/mm at which the amplitude of the view's own noise has fallen to half; infinite of white noise."""
        return self.noise_law.half_per_mm

    @cached_property
    def noise_blocks(self) -> NDArray[np.float32]:
        """Standard deviation of the view's own noise in blocks of about 0.5 mm."""
        from mammo_fixtures.perturbations.noise_law import noise_variance

        deviation: NDArray[np.float32] = noise_variance(self.view, self.noise_law, self.signal_blocks) ** 0.5
        return deviation

    @cached_property
    def fourier(self) -> torch.Tensor:
        """Complex half spectrum of the image, (rows, columns // 2 + 1)."""
        import torch

        spectrum: torch.Tensor = torch.fft.rfft2(self.pixels)
        return spectrum

    @cached_property
    def fourier_field(self) -> torch.Tensor:
        """One number in (−1, 1) per coefficient of `fourier`, opposite for conjugate ones."""
        from mammo_fixtures.perturbations.fourier import fourier_field

        return fourier_field(self.key, self.view.shape).to(self.device)

    @cached_property
    def motion_direction(self) -> tuple[float, float]:
        """Unit vector in mm, down and right."""
        from mammo_fixtures.perturbations.acquisition_blur import motion_direction

        return motion_direction(self.key)

    @cached_property
    def impulses(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Places in the flat image in the order in which isolated pixels fail, and the values they take."""
        places, values = self.impulse_arrays
        return self.on_device(places), self.on_device(values)

    @cached_property
    def impulse_arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        from mammo_fixtures.perturbations.detector import impulses

        return impulses(self.key, self.mask_array)

    @cached_property
    def line_places(self) -> tuple[int, torch.Tensor]:
        """Axis of the detector's dead lines, and places along it in the order in which they fail."""
        from mammo_fixtures.perturbations.detector import line_places

        axis, places = line_places(self.key, self.mask_array)
        return axis, self.on_device(places)

    @cached_property
    def grid_phase(self) -> float:
        """Phase of the anti-scatter grid's lines, radians."""
        from mammo_fixtures.perturbations.detector import grid_phase

        return grid_phase(self.key)

    @cached_property
    def feathered_mask(self) -> torch.Tensor:
        """1 inside the breast, falling to 0 over the last 2 mm before its outline; exactly 0 in the background."""
        return self.on_device(self.feathered_array)

    @cached_property
    def feathered_array(self) -> NDArray[np.float32]:
        from mammo_fixtures.perturbations.feather import feathered_mask

        return feathered_mask(self.feather)

    @cached_property
    def breast_deviation(self) -> torch.Tensor:
        """Pixels minus the mean of the breast, under the feathered mask."""
        return self.on_device(self.deviation_array)

    @cached_property
    def deviation_array(self) -> NDArray[np.float32]:
        from mammo_fixtures.perturbations.feather import breast_deviation

        return breast_deviation(self.view.pixels, self.feather)

    @cached_property
    def log_pixels(self) -> torch.Tensor:
        """Logarithm to the base 2 of the pixels clipped to [0, 1]; −∞ where they are 0."""
        from mammo_fixtures.perturbations.display import log_pixels

        return log_pixels(self.pixels)

    @cached_property
    def window_centre(self) -> float:
        """Centre of the view's first VOI window, else the breast's median."""
        from mammo_fixtures.perturbations.display import window_centre

        return window_centre(self.view, self.mask_array, self.background)

    @cached_property
    def fine_detail(self) -> torch.Tensor:
        """Pixels minus their blur by a Gaussian of 1 mm."""
        from mammo_fixtures.perturbations.display import fine_detail

        return fine_detail(self.pixels, self.spectrum, self.spacing_mm)

    @cached_property
    def equalisation(self) -> Equalisation:
        """Histograms of the breast, tile by tile."""
        from mammo_fixtures.perturbations.equalisation import equalisation_of

        return equalisation_of(self.view.pixels, self.mask_array, self.breast_box)

    @cached_property
    def coded_breast(self) -> CodedBreast:
        """The breast's box as 12-bit integers, with its JPEG 2000 codestreams."""
        from mammo_fixtures.perturbations.storage import CodedBreast

        return CodedBreast.of(self.view.pixels, self.breast_box)

    @cached_property
    def elastic_field(self) -> torch.Tensor:
        """Displacement (rows, columns, 2) as (column, row), for a maximum of one of the finer pixels."""
        from mammo_fixtures.perturbations.elastic_field import elastic_field

        return self.on_device(elastic_field(self.view.shape, self.spacing_mm, self.key))

    @cached_property
    def feathered_region(self) -> tuple[Box, torch.Tensor]:
        """Box of the lesion's region and the 1 mm around it; there 1 in the region, falling to 0. Empty without one."""
        from mammo_fixtures.perturbations.region import feathered_region

        box, weight = feathered_region(self.view.region, self.spacing_mm)
        return box, self.on_device(weight)

    @cached_property
    def breast_points(self) -> NDArray[np.float64]:
        """Pixels evenly over the breast, rows and columns (2, points)."""
        from mammo_fixtures.perturbations.share_kept import points_in

        return points_in(self.mask_array)

    @cached_property
    def region_points(self) -> NDArray[np.float64]:
        """Pixels of the lesion's region, (2, points); only of a view that has one."""
        from mammo_fixtures.perturbations.share_kept import points_in

        assert self.view.region is not None
        return points_in(self.view.region)

    @cached_property
    def occlusion_places(self) -> OcclusionPlaces:
        """Where in the breast a patch may lie, in keyed order."""
        from mammo_fixtures.perturbations.occlusion_place import occlusion_places

        return occlusion_places(self.mask_array, self.view.region, self.spacing_mm, self.key, self.device)

    @cached_property
    def start_array(self) -> NDArray[np.float32]:
        """Uniform in [0, 1), where an adversarial ascent begins."""
        from mammo_fixtures.perturbations.fields import uniform_array

        return uniform_array(self.key, "adversarial start", self.view.shape)

    @cached_property
    def ascent(self) -> Ascent:
        """What follows the classifier's gradient; who scores gives it the gradient."""
        from mammo_fixtures.perturbations.adversarial import Ascent

        return Ascent(self)

    @cached_property
    def universal_direction(self) -> torch.Tensor:
        """The universal field of the view's position as it lies on the view, in ±1."""
        from mammo_fixtures.perturbations.universal import universal_direction

        return universal_direction(self, self.universal_fields)

    @property
    def itself(self) -> Shared:
        """All of it, for what asks for many quantities."""
        return self

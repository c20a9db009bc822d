"""What peers do of our catalogue's work: for each job, functions that do one severity, or the ladder, on one view.

A peer that is not installed or fails is named with its reason, never left out in silence.
"""

import math

import numpy as np
import torch
from published_filter import published
from scipy import fft, ndimage

from mammo_fixtures import PERTURBATIONS
from mammo_fixtures.perturbations import Shared, apply
from mammo_fixtures.perturbations.adversarial import DIGITAL_UNIT, STEP_SHARE, STEPS


class Jobs:
    """Ladders on one image: `jobs[job][who]()` does a whole ladder and gives the last severity's pixels."""

    def __init__(self, view):
        self.view = view
        self.array = view.pixels
        self.tensor = torch.tensor(view.pixels)[None, None]
        self.buffer = torch.empty(view.shape)
        self.filled = np.empty_like(view.pixels)
        self.network = small_network()

    def ours(self, name, *, ready=False):
        """Our ladder into a reused buffer, from the view's pixels on or with what severities share made before."""
        record = PERTURBATIONS[name]

        def shared_work():
            shared = Shared(self.view)
            if record.needs == "gradient":
                shared.ascent.gradients = self.gradients
            return shared

        made = shared_work()

        def ladder():
            shared = made if ready else shared_work()
            for severity in record.severities:
                apply(record, shared, severity, self.buffer)
            return self.buffer.numpy()

        return ladder

    def each(self, name, one):
        """A peer's ladder: the severities one after another."""

        def ladder():
            for severity in PERTURBATIONS[name].severities:
                result = one(severity)
            return result

        return ladder

    def lowpass(self):
        import cv2

        mm = self.view.pixel_spacing_mm[0]
        sigma = lambda wavelength: wavelength / (2 * math.pi * mm)  # noqa: E731
        taps = lambda wavelength: 2 * math.ceil(4 * sigma(wavelength)) + 1  # noqa: E731
        yield "published NumPy", lambda w: published(self.array, w, mm)
        yield (
            "OpenCV",
            lambda w: cv2.GaussianBlur(
                self.array, (taps(w), taps(w)), sigma(w), dst=self.filled, borderType=cv2.BORDER_REFLECT
            ),
        )
        yield "scipy.ndimage", lambda w: ndimage.gaussian_filter(self.array, sigma(w), mode="reflect")
        yield "scikit-image", lambda w: _of("skimage.filters").gaussian(self.array, sigma(w), mode="reflect")
        yield (
            "kornia",
            lambda w: (
                _of("kornia.filters")
                .gaussian_blur2d(self.tensor, (taps(w), taps(w)), (sigma(w), sigma(w)), border_type="reflect")[0, 0]
                .numpy()
            ),
        )
        yield (
            "MONAI",
            lambda w: _of("monai.transforms").GaussianSmooth(sigma(w), approx="erf")(self.tensor[0])[0].numpy(),
        )
        yield "torchio", lambda w: _of("torchio").Blur(sigma(w) * mm)(self._subject()).data[0, :, :, 0].numpy()
        doubled = np.pad(self.array, [(0, length) for length in self.array.shape], mode="symmetric")
        squares = [
            (f(n, mm)) ** 2 for f, n in ((np.fft.fftfreq, doubled.shape[0]), (np.fft.rfftfreq, doubled.shape[1]))
        ]

        def scipy_fft(wavelength):
            mask = np.exp(-(squares[0][:, None] + squares[1]) * wavelength**2 / 2).astype(np.float32)
            whole = fft.irfft2(fft.rfft2(doubled, workers=-1) * mask, doubled.shape, workers=-1)
            return whole[: self.array.shape[0], : self.array.shape[1]]

        yield "scipy.fft, mirrored", scipy_fft

    def _subject(self):
        import torchio

        rows_mm, columns_mm = self.view.pixel_spacing_mm
        return torchio.ScalarImage(tensor=self.tensor[0][..., None], affine=np.diag([rows_mm, columns_mm, 1, 1]))

    def gaussian_noise(self):
        import cv2

        def opencv(sigma):
            cv2.randn(self.filled, 0, sigma)
            return cv2.add(self.array, self.filled, dst=self.filled)

        yield "OpenCV", opencv
        yield "torch", lambda s: self.buffer.normal_(0, s).add_(self.tensor[0, 0])
        yield (
            "albumentations",
            lambda s: _of("albumentations").GaussNoise((s, s), (0, 0), p=1)(image=self.array)["image"],
        )
        yield "kornia", lambda s: _of("kornia.augmentation").RandomGaussianNoise(0.0, s, p=1)(self.tensor)
        yield "MONAI", lambda s: _of("monai.transforms").RandGaussianNoise(1, 0, s, sample_std=False)(self.tensor[0])
        yield "scikit-image", lambda s: _of("skimage.util").random_noise(self.array, "gaussian", var=s * s, clip=False)
        yield (
            "imagecorruptions (8 bit, RGB)",
            lambda s: _of("imagecorruptions").corrupt(self._colours(), severity=3, corruption_name="gaussian_noise"),
        )
        yield (
            "medmnistc (8 bit)",
            lambda s: _of("medmnistc.corruptions.noise").GaussianNoise([s]).apply(self._eight_bit(), severity=0),
        )

    def _eight_bit(self):
        from PIL import Image

        return Image.fromarray((self.array * 255).astype(np.uint8))

    def _colours(self):
        return np.repeat((self.array * 255).astype(np.uint8)[..., None], 3, axis=2)

    def quantum_noise(self):
        yield "torch.poisson", lambda d: torch.poisson(self.tensor * (1000 * d)).div_(1000 * d)
        yield "scikit-image", lambda d: _of("skimage.util").random_noise(self.array, "poisson", clip=False)
        yield (
            "imagecorruptions (8 bit, RGB)",
            lambda d: _of("imagecorruptions").corrupt(self._colours(), severity=3, corruption_name="shot_noise"),
        )

    def contrast(self):
        import cv2

        mean = float(self.array.mean())
        yield "OpenCV", lambda c: cv2.addWeighted(self.array, c, self.array, 0, mean * (1 - c), dst=self.filled)
        yield "torch", lambda c: torch.mul(self.tensor[0, 0], c, out=self.buffer).add_(mean * (1 - c))
        yield "kornia", lambda c: _of("kornia.enhance").adjust_contrast_with_mean_subtraction(self.tensor, c)
        yield (
            "albumentations",
            lambda c: _of("albumentations").RandomBrightnessContrast((0, 0), (c - 1, c - 1), p=1)(image=self.array)[
                "image"
            ],
        )
        yield (
            "medmnistc (8 bit)",
            lambda c: _of("medmnistc.corruptions.enhance").Contrast([c]).apply(self._eight_bit(), severity=0),
        )
        yield (
            "imagecorruptions (8 bit, RGB)",
            lambda c: _of("imagecorruptions").corrupt(self._colours(), severity=3, corruption_name="contrast"),
        )

    def gamma_darker(self):
        import cv2

        yield "OpenCV", lambda g: cv2.pow(self.array, g, dst=self.filled)
        yield "torch", lambda g: torch.pow(self.tensor[0, 0], g, out=self.buffer)
        yield "kornia", lambda g: _of("kornia.enhance").adjust_gamma(self.tensor, g)
        yield "MONAI", lambda g: _of("monai.transforms").AdjustContrast(g)(self.tensor[0])
        yield "scikit-image", lambda g: _of("skimage.exposure").adjust_gamma(self.array, g)
        stored, levels = np.rint(self.array * 65535).astype(np.uint16), np.linspace(0, 1, 65536)

        def looked_up(exponent):
            return cv2.LUT(stored, np.rint(levels**exponent * 65535).astype(np.uint16))

        yield "OpenCV look-up (16 bit)", looked_up

    def rotation(self):
        import cv2

        rows, columns = self.array.shape

        def opencv(degrees):
            turned = cv2.getRotationMatrix2D((0, rows / 2), degrees, 1)
            return cv2.warpAffine(self.array, turned, (columns, rows), dst=self.filled, flags=cv2.INTER_LINEAR)

        def sampled(degrees):
            angle = math.radians(degrees)
            ratio = rows / columns
            turned = [[math.cos(angle), math.sin(angle) * ratio, 0], [-math.sin(angle) / ratio, math.cos(angle), 0]]
            grid = torch.nn.functional.affine_grid(torch.tensor([turned]), list(self.tensor.shape), align_corners=False)
            return torch.nn.functional.grid_sample(self.tensor, grid, align_corners=False)

        yield "OpenCV", opencv
        yield "torch", sampled
        yield "kornia", lambda d: _of("kornia.geometry").rotate(self.tensor, torch.tensor([float(d)]))
        yield "albumentations", lambda d: _of("albumentations").Rotate((d, d), p=1)(image=self.array)["image"]
        yield "MONAI", lambda d: _of("monai.transforms").Rotate(math.radians(d))(self.tensor[0])
        yield "scipy.ndimage", lambda d: ndimage.rotate(self.array, d, reshape=False, order=1)

    def translation(self):
        import cv2

        rows, columns = self.array.shape
        mm = self.view.pixel_spacing_mm[0]

        def opencv(shift_mm):
            moved = np.array([[1, 0, 0], [0, 1, shift_mm / mm]], dtype=np.float64)
            return cv2.warpAffine(self.array, moved, (columns, rows), dst=self.filled, flags=cv2.INTER_LINEAR)

        yield "OpenCV", opencv
        yield "kornia", lambda s: _of("kornia.geometry").translate(self.tensor, torch.tensor([[0.0, s / mm]]))
        yield (
            "albumentations",
            lambda s: _of("albumentations").Affine(translate_px={"x": (0, 0), "y": (int(s / mm),) * 2}, p=1)(
                image=self.array
            )["image"],
        )
        yield "scipy.ndimage", lambda s: ndimage.shift(self.array, (s / mm, 0), order=1)

    def pgd_linf(self):
        import foolbox

        criterion = foolbox.criteria.Misclassification(torch.zeros(1, dtype=torch.long))
        attack = foolbox.attacks.LinfPGD(steps=STEPS, rel_stepsize=STEP_SHARE / STEPS)
        model = foolbox.PyTorchModel(torch.nn.Sequential(self.network, _BothClasses()).eval(), bounds=(-10, 10))
        yield "foolbox", lambda e: attack.run(model, self.tensor, criterion, epsilon=e * DIGITAL_UNIT)

    def gradients(self, images):
        """What a classifier gives to adversarial perturbations: here of a small network's mean square."""
        found = []
        for image in images:
            leaf = image.clone().requires_grad_()
            found.append(torch.autograd.grad(self.network(leaf[None, None])[0, 0], leaf)[0])
        return found


class _BothClasses(torch.nn.Module):
    """The logit of one score as two classes, as foolbox wants them."""

    def forward(self, scores):
        return torch.cat([torch.zeros_like(scores), scores], dim=1)


def small_network():
    """A score whose gradient costs little beside the steps of an attack."""
    torch.manual_seed(3)
    layers = (torch.nn.Conv2d(1, 4, 5, stride=4), torch.nn.Tanh(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    return torch.nn.Sequential(*layers, torch.nn.Linear(4, 1)).requires_grad_(False)


JOBS = ("lowpass", "gaussian_noise", "quantum_noise", "contrast", "gamma_darker", "rotation", "translation", "pgd_linf")


def _of(module):
    """A peer's module, imported when first used (the first call is never timed)."""
    import importlib

    return importlib.import_module(module)

"""The sheet of a montage: panels side by side, full view above detail and change, with what they show in writing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from mammo_fixtures.exams import View

FULL_MOST = 440
"""Longer side of a full view, in picture pixels."""
DETAIL_LEAST, DETAIL_MOST = 240, 600
"""A detail is drawn pixel by pixel, or by whole multiples, between these sizes."""
GAP, LINE, LETTERS = 8, 20, 14
PAPER, INK, FRAME = 24, 230, 255
NO_CHARACTER = "\uffff"
"""Which no font has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A part of the pixel grid."""

    top: int
    left: int
    rows: int
    columns: int

    def of(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The part's pixels."""
        return pixels[self.top : self.top + self.rows, self.left : self.left + self.columns]

    @property
    def size(self) -> int:
        """Side of its square in the picture: whole multiples of the finer pixel where that fits."""
        finer = max(self.rows, self.columns)
        return min(finer * -(-DETAIL_LEAST // finer), DETAIL_MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greys:
    """Which pixel values are drawn black and white: one scale for all panels of a sheet."""

    white: float
    half_width: float

    @classmethod
    def of(cls, clean: NDArray[np.float32], detail: Detail) -> Greys:
        """From the clean view, so that a perturbation cannot hide in its own scale."""
        low, high = np.percentile(detail.of(clean), (0.5, 99.5))
        return cls(white=float(np.percentile(clean, 99.95)) * 1.05 or 1.0, half_width=float(high - low) * 0.75 or 0.01)

    def sentence(self, detail: Detail, spacing_mm: tuple[float, float]) -> str:
        """What black and white mean, and how large the detail is."""
        rows_mm, columns_mm = detail.rows * spacing_mm[0], detail.columns * spacing_mm[1]
        return (
            f"full view: black 0, white {self.white:.3f} of full scale; "
            f"detail: {rows_mm:.1f} x {columns_mm:.1f} mm, each panel's median ± {self.half_width:.3f}"
        )


def grey(pixels: NDArray[np.float32], black: float, white: float) -> NDArray[np.uint8]:
    """Eight bits between black and white; what lies beyond is black or white."""
    fraction = np.clip((pixels - black) / (white - black), 0, 1)
    greys: NDArray[np.uint8] = np.rint(fraction * 255).astype(np.uint8)
    return greys


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """One condition: its label, its full view and its detail, as greys."""

    label: str
    full: NDArray[np.uint8]
    detail: NDArray[np.uint8]
    change: NDArray[np.uint8] | None = None
    """Where the full view differs from the clean one: of each area the pixel that changed most, grey where none did."""
    most: float = 0.0
    """Largest change of a pixel, as a fraction of full scale: black is that much less, white that much more."""

    @classmethod
    def of(
        cls,
        label: str,
        pixels: NDArray[np.float32],
        view: View,
        detail: Detail,
        greys: Greys,
        *,
        framed: bool = False,
        clean: NDArray[np.float32] | None = None,
    ) -> Panel:
        """Draws the pixels; `framed` shows in the full view where the detail lies, `clean` is what they differ from."""
        rows_mm, columns_mm = (n * mm for n, mm in zip(view.shape, view.pixel_spacing_mm, strict=True))
        height, width = (max(round(FULL_MOST * mm / max(rows_mm, columns_mm)), 1) for mm in (rows_mm, columns_mm))
        full = grey(_resized(pixels, height, width), 0.0, greys.white)
        if framed:
            _frame(full, detail, view.shape)
        part = detail.of(pixels)
        median = float(np.median(part))
        fine = _resized(part, detail.size, detail.size)
        shown = cls(label=label, full=full, detail=grey(fine, median - greys.half_width, median + greys.half_width))
        if clean is None:
            return shown
        change = pixels - clean
        most = float(np.abs(change).max())
        return replace(shown, change=grey(_most_changed(change, height, width), -(most or 1.0), most or 1.0), most=most)

    @property
    def width(self) -> int:
        """Of the wider of its two parts."""
        return int(max(self.full.shape[1], self.detail.shape[1]))


def sheet(title: str, panels: Sequence[Panel], notes: Sequence[str]) -> Image:
    """The picture: title, labels, full views, details, changes, notes."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(LETTERS)
    title, notes = legible(title, font), [legible(note, font) for note in notes]
    left = places(panels)
    width = left[-1] + panels[-1].width + GAP
    labels = [textwrap.wrap(panel.label, max(panel.width // 8, 8)) for panel in panels]
    lines = [line for note in notes for line in textwrap.wrap(note, max(width // 8, 20))]
    top = 2 * GAP + LINE * (1 + max(map(len, labels)))
    below = top + panels[0].full.shape[0] + GAP
    changes = below + panels[0].detail.shape[0] + GAP
    changed = any(panel.change is not None for panel in panels)
    end = changes + (panels[0].full.shape[0] + LINE + GAP if changed else 0)
    picture = Image.new("L", (width, end + LINE * len(lines) + GAP), PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((GAP, GAP), title, fill=INK, font=font)
    for x, panel, label in zip(left, panels, labels, strict=True):
        pen.text((x, GAP + LINE), "\n".join(label), fill=INK, font=font)
        picture.paste(Image.fromarray(panel.full), (x, top))
        picture.paste(Image.fromarray(panel.detail), (x, below))
        if panel.change is not None:
            picture.paste(Image.fromarray(panel.change), (x, changes))
            pen.text((x, changes + panel.change.shape[0]), f"change, ± {panel.most:.2g}", fill=INK, font=font)
    for number, line in enumerate(lines):
        pen.text((GAP, end + LINE * number), line, fill=INK, font=font)
    return picture


def legible(text: str, font: ImageFont | FreeTypeFont) -> str:
    """Characters that a font lacks as their code points: all of them would be drawn as one box, so that the ids of two
    exams could look the same.
    """
    box = _drawn(NO_CHARACTER, font)
    return "".join(
        each.encode("ascii", "backslashreplace").decode() if _drawn(each, font) == box else each for each in text
    )


def _drawn(character: str, font: ImageFont | FreeTypeFont) -> bytes:
    """A font of Pillow's without FreeType refuses what it lacks."""
    try:
        mask = font.getmask(character)
    except UnicodeEncodeError:
        return b""
    return bytes(mask) if any(mask.size) else character.encode()


def places(panels: Sequence[Panel]) -> list[int]:
    """Left edge of each panel on the sheet."""
    left = [GAP]
    for panel in panels[:-1]:
        left.append(left[-1] + panel.width + GAP)
    return left


def _resized(pixels: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """Means of areas where the picture is coarser, repeated pixels where it is finer: nothing is smoothed."""
    from PIL import Image

    if pixels.shape == (rows, columns):
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((columns, rows), Image.Resampling.BOX))


def _most_changed(change: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """Of each area the value farthest from 0: means would hide single pixels and lines.

    Where both signs go as far, as in a step along a gradient's sign, the sign of the area's sum is drawn.
    """
    starts = [np.arange(drawn) * n // drawn for drawn, n in zip((rows, columns), change.shape, strict=True)]
    highest, lowest, total = (
        pick.reduceat(pick.reduceat(change, starts[0], axis=0), starts[1], axis=1)
        for pick in (np.maximum, np.minimum, np.add)
    )
    equal = np.isclose(highest, -lowest, rtol=1e-3, atol=0)
    farthest: NDArray[np.float32] = np.where(np.where(equal, total > 0, highest > -lowest), highest, lowest)
    return farthest


def _frame(full: NDArray[np.uint8], detail: Detail, shape: tuple[int, int]) -> None:
    """A line round the detail, in a full view of an image of this shape."""
    rows, columns = (drawn / stored for drawn, stored in zip(full.shape, shape, strict=True))
    top, left = round(detail.top * rows), round(detail.left * columns)
    bottom = min(round((detail.top + detail.rows) * rows), full.shape[0] - 1)
    right = min(round((detail.left + detail.columns) * columns), full.shape[1] - 1)
    full[top : bottom + 1, [left, right]] = FRAME
    full[[top, bottom], left : right + 1] = FRAME

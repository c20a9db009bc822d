"""A view in a file: what the manifest says of it, and reading it when asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.png_chunks import MAGIC
from mammo_fixtures.exams.pseudonyms import without_paths
from mammo_fixtures.exams.remote_file import FilePath
from mammo_fixtures.exams.view import View

DICOM_MAGIC = b"DICM"
PREAMBLE_BYTES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFile:
    """A DICOM or PNG file that holds one view, and what is stated of it beside the file."""

    exam_id: str
    side: str
    position: str
    path: FilePath = field(repr=False)
    """Told nowhere, unless there is no origin: names of image files may name a patient."""
    origin: str = ""
    """Where it is stated, for messages: `site.csv, row 41`."""
    pixel_spacing_mm: tuple[float, float] | None = None
    """(between rows, between columns); None: the file must say."""
    intensity_low: float | None = None
    intensity_high: float | None = None
    """Stored values that 0 and 1 stand for; None: as the file's format says."""
    noise_gain: float | None = None
    """Of FOR PROCESSING pixels: noise variance in stored units squared for each stored unit of signal."""
    roi_path: FilePath | None = field(default=None, repr=False)
    hidden: bool = False
    """Whether no message may tell its paths, of which ids are often a part."""

    @property
    def name(self) -> str:
        """How messages call this view: `exam 17, L-MLO`."""
        return f"exam {self.exam_id}, {self.side}-{self.position}"

    def read(self) -> View:
        """Decode the file. Raises UnusableInput, in one line that says which view, what is wrong, and what to do."""
        try:
            return self._decoded()
        except UnusableInput as fault:
            what = str(fault).removeprefix(f"{self.name}: ")
            if self.hidden:
                what = without_paths(what, [str(path) for path in (self.path, self.roi_path) if path is not None])
                raise UnusableInput(f"{self.name}: {what} ({self.origin})") from None
            raise UnusableInput(f"{self.name}: {what} ({self.origin or self.path})") from fault

    def _decoded(self) -> View:
        try:
            stream = self.path.open("rb")
        except OSError as cause:
            raise self._unreadable(cause) from cause
        with stream:
            return self._from(stream)

    def _unreadable(self, cause: OSError) -> UnusableInput:
        reason = cause.strerror or str(cause).partition(":")[0] or type(cause).__name__
        return UnusableInput(f"the image must be a readable file, got {reason!r}; look whether it is there")

    def _from(self, stream: BinaryIO) -> View:
        try:
            start = stream.read(PREAMBLE_BYTES + len(DICOM_MAGIC))
            stream.seek(0)
        except OSError as cause:  # a folder opens on some systems
            raise self._unreadable(cause) from cause
        if start.startswith(MAGIC):
            from mammo_fixtures.exams.png import read_png

            return read_png(self, stream)
        if start[PREAMBLE_BYTES:] == DICOM_MAGIC:
            from mammo_fixtures.exams.dicom import read_dicom

            return read_dicom(self, stream)
        if not start:
            raise UnusableInput("the image must be DICOM or PNG, got an empty file; copy it again")
        raise UnusableInput(
            "the image must be DICOM (with its preamble, PS3.10) or PNG, got other content; export it as one of these"
        )

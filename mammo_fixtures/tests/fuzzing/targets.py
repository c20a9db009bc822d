"""What is read in a case, and what must be true of it when it was accepted."""

import csv
import io
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mammo_fixtures.exams.manifest import read_cohort
from mammo_fixtures.exams.region import read_region
from mammo_fixtures.exams.view_file import ViewFile
from mammo_fixtures.given import given
from mammo_fixtures.scoring.table_files import read_score_table
from mammo_fixtures.tests.fuzzing.dicom_mutations import mutated_structure
from mammo_fixtures.tests.fuzzing.dicom_oracle import UNLIKE, Undecided, fractions_again
from mammo_fixtures.tests.fuzzing.dicom_structure import taken_apart
from mammo_fixtures.tests.fuzzing.mutations import TEXT, WORDS, mutated
from mammo_fixtures.verdicts import read_tolerances

SHAPE = (64, 48)


@dataclass(frozen=True, kw_only=True)
class Target(ABC):
    """A file to mutate and the reader to hand it to."""

    name: str
    content: bytes
    file: str
    """Name of the mutated file, whose ending may decide the reader."""
    words: tuple[bytes, ...] = TEXT

    def mutated(self, *, seed, case):
        """The content of a case, the same whenever it is made."""
        return mutated(self.content, seed=seed, case=case, words=self.words)

    @abstractmethod
    def read(self, path):
        """What was read: the `same` as of the unmutated file, `other`, or other and `agreed` with a second reader.

        AssertionError: it is silently wrong.
        """


@dataclass(frozen=True, kw_only=True)
class ViewImage(Target):
    words: tuple[bytes, ...] = WORDS

    def read(self, path):
        view = ViewFile(
            exam_id="1",
            side="L",
            position="CC",
            path=path,
            pixel_spacing_mm=(0.07, 0.07) if self.file.endswith("png") else None,
            intensity_high=4095.0 if self.file.endswith("png") else None,
        ).read()
        pixels = view.pixels
        assert pixels.dtype == np.float32
        assert pixels.ndim == 2
        assert pixels.size > 0
        assert np.isfinite(pixels).all(), "pixels that are not finite"
        assert (pixels.min(), pixels.max()) >= (0, 0), "pixels below 0"
        assert pixels.max() <= 1, "pixels above 1"
        assert (view.side, view.position, view.exam_id) == ("L", "CC", "1")
        assert all(0 < length < 100 for length in view.pixel_spacing_mm)
        clean = _clean_pixels(self)
        same = pixels.shape == clean.shape and np.array_equal(pixels, clean)
        if self.file.endswith("png"):
            assert same, "a PNG has checksums, yet other pixels were read"
        if same:
            return "same"
        try:
            again = fractions_again(path)
        except Undecided:
            return "other"
        assert again.shape == pixels.shape, f"another reader finds {again.shape}"
        apart = float(np.abs(again - pixels).max())
        assert apart <= UNLIKE, f"another reader's pixels differ by {apart:.3g}"
        return "agreed"


@dataclass(frozen=True, kw_only=True)
class Structure(ViewImage):
    """A DICOM file whose elements are mutated; what is accepted is read a second time by another reader."""

    def mutated(self, *, seed, case):
        elements = taken_apart(self.content)
        return mutated_structure(elements, np.random.default_rng([seed, case]))


_CLEAN = {}


def _clean_pixels(target):
    if target.name not in _CLEAN:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            path = Path(folder) / target.file
            path.write_bytes(target.content)
            file = ViewFile(
                exam_id="1",
                side="L",
                position="CC",
                path=path,
                pixel_spacing_mm=(0.07, 0.07),
                intensity_high=4095.0 if target.file.endswith("png") else None,
            )
            _CLEAN[target.name] = file.read().pixels
    return _CLEAN[target.name]


@dataclass(frozen=True, kw_only=True)
class Manifest(Target):
    def read(self, path):
        cohort = read_cohort(path)
        stated = {(row["exam_id"], row["side"]): row for row in _cells(path)}
        read = [breast for exam in cohort.exams for breast in exam.breasts]
        assert {(b.exam_id, b.side) for b in read} == set(stated), "not the breasts that the file names"
        for breast in read:
            row = stated[breast.exam_id, breast.side]
            label = {"1": True, "0": False, "": None}[row.get("malignant") or ""]
            assert breast.malignant is label, "not the label that the file gives"
            assert breast.subgroup == (row.get("subgroup") or ""), "not the subgroup that the file gives"
        return "same" if path.read_bytes() == self.content else "other"


@dataclass(frozen=True, kw_only=True)
class Scores(Target):
    def read(self, path):
        table = read_score_table(path)
        breast = {key: n for n, key in enumerate(zip(table.exam_id.tolist(), table.side.tolist(), strict=True))}
        rows = list(_cells(path, strip=False))
        for row in rows:
            one = breast[row["exam_id"], row["side"]]
            assert int(table.malignant[one]) == {"1": 1, "0": 0, "": -1}[row["malignant"]], "not the file's label"
            condition = [c for c in table.conditions if c == (row["perturbation"], float(row["severity"]))]
            score = table.scores[table.conditions.index(condition[0]), one, table.readers.index(row["reader"])]
            wanted = float(row["score"]) if row["score"] else np.nan
            assert np.array_equal(score, wanted, equal_nan=True), "not the file's score"
        assert int(np.isfinite(table.scores).sum()) == sum(bool(row["score"]) for row in rows), "a score from nowhere"
        return "same" if path.read_bytes() == self.content else "other"


@dataclass(frozen=True, kw_only=True)
class Tolerances(Target):
    def read(self, path):
        import tomllib

        read = read_tolerances(path)
        stated = tomllib.loads(path.read_text(encoding="utf-8"))["tolerance"]
        assert len(read) == len(stated), "a tolerance was dropped"
        for tolerance, table in zip(read, stated, strict=True):
            for key in ("claim", "perturbation", "subgroup", "metric", "margin"):
                assert getattr(tolerance, key) == table.get(key, getattr(tolerance, key)), f"not the file's {key}"
        return "same" if path.read_bytes() == self.content else "other"


@dataclass(frozen=True, kw_only=True)
class Region(Target):
    def read(self, path):
        region = read_region(path, SHAPE)
        assert region is not None
        assert (region.shape, region.dtype) == (SHAPE, np.bool_)
        if self.file.endswith("png"):
            assert np.array_equal(region, np.eye(*SHAPE) > 0), "a PNG has checksums, yet another mask was read"
        return "same" if path.read_bytes() == self.content else "other"


def _cells(path, strip=True):
    text = path.read_bytes().decode("utf-8-sig")
    lines = csv.reader(io.StringIO(text, newline=""))
    rows = [[cell.strip() if strip else cell for cell in row] for row in lines]
    header, *rest = [row for row in rows if any(row)]
    header = [name.strip() for name in header]
    return [dict(zip(header, row, strict=True)) for row in rest]


def images():
    """Every golden DICOM file, good and broken, and a PNG."""
    paths = sorted(given("dicom").rglob("*.dcm"))
    good = [path for path in paths if path.parent.name == "dicom"]
    png = given("dicom/phantom.png").read_bytes()
    return [
        *(ViewImage(name=path.stem, content=path.read_bytes(), file="view.dcm") for path in good),
        *(
            Structure(name=f"{path.stem}, elements", content=path.read_bytes(), file="view.dcm")
            for path in good
            if not path.stem.startswith(("implicit", "big_endian"))
        ),
        ViewImage(name="png", content=png, file="view.png"),
    ]


def tables(folder):
    """A manifest, a score table, the tolerances, and regions of both kinds."""
    (folder / "a.png").write_bytes(given("dicom/phantom.png").read_bytes())
    manifest = "exam_id,side,view,path,malignant,subgroup,pixel_spacing_mm,density\n" + "".join(
        f"{exam},{side},{view},a.png,{int(exam == 2 and side == 'L')},{'masses' if exam == 2 else 'normal'},0.07,b\n"
        for exam in (1, 2, 17)
        for side in "LR"
        for view in ("CC", "MLO")
    )
    scores = "exam_id,side,malignant,subgroup,perturbation,severity,reader,score\n" + "".join(
        f"{exam},{side},{int(exam == 2)},{'masses' if exam == 2 else 'normal'},{condition},s{reader},0.{exam}{reader}\n"
        for exam in (1, 2, 17)
        for side in "LR"
        for condition in ("clean,0", "lowpass,0.5", "lowpass,2.0")
        for reader in (1, 2)
    )
    tolerances = "".join(
        f'[[tolerance]]\nclaim = "{claim}"\nperturbation = "lowpass"\nseverities = [{severities}]\n'
        f'subgroup = "masses"\nmetric = "auc"\nmargin = 0.05\nreason = "large"\n\n'
        for claim, severities in (("holds", "0.17, 0.5"), ("responds", "2.0"))
    )
    mask = io.BytesIO()
    Image.fromarray(np.eye(*SHAPE).astype(np.uint8) * 255).save(mask, "PNG")
    polygons = json.dumps([[[10, 20], [10, 40], [30, 30]], [[1, 1], [5, 1], [5, 5.5]]])
    return [
        Manifest(name="manifest", content=manifest.encode(), file="site.csv"),
        Scores(name="scores", content=scores.encode(), file="scores.csv"),
        Tolerances(name="tolerances", content=tolerances.encode(), file="tolerances.toml"),
        Region(name="polygons", content=polygons.encode(), file="region.json"),
        Region(name="mask", content=mask.getvalue(), file="region.png", words=WORDS),
    ]

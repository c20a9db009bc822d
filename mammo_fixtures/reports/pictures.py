"""Pictures of a breast under a perturbation: what the classifier got at each severity, before its own preprocessing.

`python -m mammo_fixtures.reports.pictures --exams=site.csv --exam=17 --side=L --view=CC -o pictures` writes one
picture a perturbation; those that follow a gradient need `--classifier=`, `universal` also the `--universal=` of a
report.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Breast, Exam, View, read_cohort
from mammo_fixtures.perturbations import PERTURBATIONS, Perturbation, Shared, apply
from mammo_fixtures.reports.montage_sheet import Detail, Greys, Panel, sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

DETAIL_MM = 20.0
NO_REGION = "no lesion region is known: the detail is the middle of the breast"


def montage(
    view: View,
    perturbation: str | Perturbation,
    *,
    severities: Sequence[float] | None = None,
    seed: int = 0,
    shared: Shared | None = None,
) -> Image:
    """A view clean and under each severity (the ladder, if none are given): all of it, 20 mm round the lesion, and
    what changed.

    Black and white mean the same pixel values in all full views; all details have one contrast, each about its own
    median. The detail stays where the clean lesion is, so that a geometric perturbation is seen to move it. `shared` is
    the view with what was computed of it, and with the gradient that some perturbations follow.
    """
    record = PERTURBATIONS[perturbation] if isinstance(perturbation, str) else perturbation
    shared = shared or Shared(view, seed=seed)
    detail = detail_of(shared)
    greys = Greys.of(view.pixels, detail)
    panels = [Panel.of("clean", view.pixels, view, detail, greys, framed=True)]
    notes = [] if view.region is not None else [NO_REGION]
    for severity, pixels in perturbed(record, shared, record.severities if severities is None else severities):
        label = f"{severity:g} {record.unit}"
        panels.append(Panel.of(label, pixels, view, detail, greys, clean=view.pixels))
        flag = record.flag(shared, severity) if record.flag else ""
        if flag:
            notes.append(f"{label}: {flag}")
        if record.redeclare:
            rows_mm, columns_mm = record.redeclare(view, severity).pixel_spacing_mm
            notes.append(f"{label}: declared to the classifier with pixels of {rows_mm:.4g} x {columns_mm:.4g} mm")
    return sheet(f"{record.name}, {view.name}", panels, [greys.sentence(detail, view.pixel_spacing_mm), *notes])


def perturbed(
    record: Perturbation, shared: Shared, severities: Sequence[float]
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Each severity with its pixels, in one buffer that the next severity fills again."""
    import torch

    buffer = torch.empty_like(shared.pixels)
    for severity in severities:
        yield severity, apply(record, shared, severity, buffer).numpy()


def detail_of(shared: Shared) -> Detail:
    """A square of 20 mm round the middle of the lesion's region, else of the breast; moved to lie in the image.

    Of regions that it cannot hold together, it is round the largest.
    """
    from scipy import ndimage

    view = shared.view
    places = np.argwhere(shared.mask_array if view.region is None else view.region)
    if view.region is not None and len(places):
        if ((np.ptp(places, axis=0) + 1) * view.pixel_spacing_mm > DETAIL_MM).any():
            # Half way between two lesions there is neither.
            parts, _ = ndimage.label(view.region)
            places = np.argwhere(parts == 1 + np.bincount(parts.ravel())[1:].argmax())
        middle = (places.min(axis=0) + places.max(axis=0) + 1) / 2
    else:
        middle = places.mean(axis=0) if len(places) else np.array(view.shape) / 2
    sides = [
        min(max(round(DETAIL_MM / mm), 1), length) for mm, length in zip(view.pixel_spacing_mm, view.shape, strict=True)
    ]
    starts = [
        min(max(math.floor(centre - side / 2 + 0.5), 0), length - side)
        for centre, side, length in zip(middle, sides, view.shape, strict=True)
    ]
    return Detail(top=starts[0], left=starts[1], rows=sides[0], columns=sides[1])


def write_montages(
    view: View,
    folder: Path,
    *,
    perturbations: Sequence[str] = (),
    seed: int = 0,
    shared: Shared | None = None,
    exam: Exam | None = None,
) -> dict[str, str]:
    """Write `<perturbation>.png` for those named, or all; what cannot be drawn, with its reason.

    Without `shared`, as for `montage`, none that follow a gradient; without `exam` none that change which views it has.
    """
    from mammo_fixtures.reports.exam_pictures import exam_montage

    records = [PERTURBATIONS[name] for name in perturbations] or list(PERTURBATIONS)
    folder.mkdir(parents=True, exist_ok=True)
    not_drawn: dict[str, str] = {}
    for record in records:
        if record.needs == "region" and view.region is None:
            not_drawn[record.name] = f"{view.name}: needs a lesion region, and this view has none; give it a roi_path"
            continue
        try:
            if exam is not None and record.needs == "exam":
                picture = exam_montage(exam, record, seed=seed)
            else:
                picture = montage(view, record, seed=seed, shared=shared)
        except UnusableInput as reason:
            not_drawn[record.name] = str(reason)
            continue
        picture.save(folder / f"{record.name}.png", optimize=True)
    return not_drawn


def find_view(
    exams: str, exam_id: str, side: str, position: str, *, allow_outside: Sequence[str] = ()
) -> tuple[Exam, Breast, View]:
    """The one view of a manifest, or of `phantoms`, decoded, with its breast and exam."""
    cohort = read_cohort(exams, allow_outside=allow_outside)
    exam = next((each for each in cohort if each.exam_id == exam_id), None)
    if exam is None:
        known = ", ".join(each.exam_id for each in cohort.exams[:5])
        raise UnusableInput(f"{cohort.name}: --exam must be an exam of the cohort, got {exam_id!r}; it has {known} …")
    for breast in exam.breasts:
        for source in breast.views:
            if (source.side, source.position) == (side, position):
                return exam, breast, source.read()
    known = ", ".join(f"{source.side}-{source.position}" for source in exam.views)
    raise UnusableInput(
        f"exam {exam_id}: --side and --view must name a view it has, got {side}-{position}; has {known}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m mammo_fixtures.reports.pictures",
        description="One picture a perturbation: a breast at every severity, and 20 mm of it round the lesion.",
    )
    parser.add_argument("--exams", default="phantoms", help="manifest, or phantoms (default: %(default)s)")
    parser.add_argument("--allow-outside", action="append", default=[], metavar="DIR", help="as --mammo-allow-outside=")
    parser.add_argument("--exam", required=True, help="exam id")
    parser.add_argument("--side", required=True, choices=("L", "R"))
    parser.add_argument("--view", required=True, help="CC, MLO, …")
    parser.add_argument("--perturbation", action="append", default=[], help="may be repeated (default: all)")
    parser.add_argument("--classifier", help="as --mammo-classifier=, whose gradient some perturbations follow")
    parser.add_argument("--universal", type=Path, help="universal.safetensors of a report: the fields of `universal`")
    parser.add_argument("--seed", type=int, default=0, help="seed of every random field (default: %(default)s)")
    parser.add_argument("-o", "--output", type=Path, default=Path("pictures"), help="folder (default: %(default)s)")
    given = parser.parse_args(arguments)
    from mammo_fixtures.reports.exam_pictures import follow

    try:
        exam, breast, view = find_view(
            given.exams, given.exam, given.side, given.view, allow_outside=given.allow_outside
        )
        shared = Shared(view, seed=given.seed)
        if given.classifier or given.universal:
            follow(shared, breast, classifier=given.classifier, fields=given.universal)
        not_drawn = write_montages(
            view, given.output, perturbations=given.perturbation, seed=given.seed, shared=shared, exam=exam
        )
    except UnusableInput as error:
        parser.exit(2, f"{error}\n")
    for name, reason in not_drawn.items():
        if PERTURBATIONS[name].needs == "gradient":
            if name == "universal" and not given.universal:
                reason = "its fields are fitted to a classifier; give --universal=universal.safetensors of a report"
            elif not given.classifier:
                reason = "it follows a classifier's gradient; give --classifier="
        sys.stderr.write(f"{name} not drawn: {reason}\n")
    return 1 if set(not_drawn) & set(given.perturbation) else 0


if __name__ == "__main__":
    sys.exit(main())

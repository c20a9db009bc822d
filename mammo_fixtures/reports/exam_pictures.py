"""Pictures of what needs more than a view: the exam's other views, or a classifier's gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mammo_fixtures.classifiers import load_classifier
from mammo_fixtures.classifiers.gradients import BREAST, scaled_gradients_of
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations import Perturbation, Shared
from mammo_fixtures.perturbations.exam_views import MISSING_VIEW, exchange, withheld_position
from mammo_fixtures.perturbations.universal import UniversalFields
from mammo_fixtures.reports.montage_sheet import Greys, Panel, sheet
from mammo_fixtures.reports.pictures import detail_of
from mammo_fixtures.scoring.signs import sign

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from mammo_fixtures.exams import Breast, Exam, View


def exam_montage(exam: Exam, record: Perturbation, *, seed: int = 0) -> Image:
    """All views of an exam, clean and as they come under a perturbation of which views there are, with their names."""
    views = {f"{source.side}-{source.position}": source.read() for source in exam.views}
    panels = [_panel(name, view) for name, view in views.items()]
    if record.name == MISSING_VIEW.name:
        # Keyed on the exam: the same position of both breasts, where both have it.
        gone = withheld_position((name[2:] for name in views), exam.exam_id, seed)
        if not gone:
            raise UnusableInput(f"exam {exam.exam_id}: needs two views of a breast, got {', '.join(views)}")
        panels += [
            _panel(f"{name} withheld", view, blank=True) if name[2:] == gone else _panel(name, view)
            for name, view in views.items()
        ]
    else:
        places = exchange(views, exam.exam_id, seed)
        if not places:
            raise UnusableInput(f"exam {exam.exam_id}: needs views that can change places, got {', '.join(views)}")
        panels += [_panel(f"as {name}: the image of {places[name]}", views[places[name]]) for name in views]
    return sheet(f"{record.name}, exam {exam.exam_id}", panels, [record.source])


def _panel(label: str, view: View, *, blank: bool = False) -> Panel:
    shared = Shared(view)
    detail = detail_of(shared)
    pixels = np.full_like(view.pixels, shared.background) if blank else view.pixels
    return Panel.of(label, pixels, view, detail, Greys.of(view.pixels, detail))


def follow(shared: Shared, breast: Breast, *, classifier: str | None, fields: Path | None) -> None:
    """Give a view the gradient of a view-level classifier's score, and universal fields that were fitted to one."""
    loaded = load_classifier(classifier) if classifier else None
    # At exam level all views are moved together, which the page of a report shows.
    if loaded is not None and loaded.level == "view":
        shared.ascent.gradients = scaled_gradients_of(Inference(loaded), [shared.view], {BREAST: sign(breast)})
    if fields is not None:
        shared.universal_fields = UniversalFields.read(fields).against(shared.view.exam_id)

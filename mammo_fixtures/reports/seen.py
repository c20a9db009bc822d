"""Pictures for the report: what the classifier saw, drawn from the images that the sweep makes for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Breast, Cohort, Exam
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.exams.view import MAY_SHOW
from mammo_fixtures.perturbations import PERTURBATIONS, Perturbation, Shared
from mammo_fixtures.reports.findings import CATALOGUE, Gallery, Plain, Row, catalogue_order
from mammo_fixtures.reports.montage_sheet import Detail, Greys, Panel
from mammo_fixtures.reports.pictures import NO_REGION, detail_of
from mammo_fixtures.reports.shrunk import shrunk
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.verdicts import Tolerance
from mammo_fixtures.verdicts.subgroups import ALL, belongs

if TYPE_CHECKING:
    from mammo_fixtures.exams import View
    from mammo_fixtures.reports.findings import Picture

MOST_BYTES = 2_600_000
"""Of pictures of one kind; as text in a page they take a third more."""
MOST_SEVERITIES = 5
MOST_EXAMPLES = 2
"""Breasts that a perturbation is shown on: one of each kind that its claims name."""
MOST_MOVED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A cohort and the sweep that scored it."""

    cohort: Cohort
    sweep: Sweep
    tolerances: Sequence[Tolerance]

    def perturbations(self, planned: Sequence[Condition]) -> Gallery:
        """Each perturbation of a run on a malignant breast of each subgroup that its claims name."""
        rows: list[Row] = []
        missing: list[str] = []
        spent = 0
        for name in catalogue_order(c.perturbation for c in planned if c.perturbation in CATALOGUE):
            if spent > MOST_BYTES:
                missing.append(f"{name}: the page would grow too large; {_by_hand(name)}")
                continue
            if PERTURBATIONS[name].needs == "exam":
                missing.append(f"{name}: withholds or exchanges whole views and changes no pixel")
                continue
            severities = shown_severities(PERTURBATIONS[name], planned, self.tolerances)
            examples = self._examples(name)
            if not examples:
                missing.append(f"{name}: {self._needs.said(name) or 'no breast of the subgroups that claims name'}")
            for exam, breast, source in examples:
                try:
                    row = self._row(name, severities, exam, breast, source)
                except UnusableInput as reason:
                    missing.append(f"{name}: {reason}")
                    continue
                rows.append(row)
                spent += sum(len(picture.data) for panel in row.panels for picture in panel)
        return Gallery(rows=tuple(rows), missing=tuple(dict.fromkeys(missing)))

    def before_after(self, moved: Sequence[Plain]) -> Gallery:
        """All views of the breasts whose score moved most, clean and under what moved it."""
        rows: list[Row] = []
        missing: list[str] = []
        for each in moved[:MOST_MOVED]:
            exam = next(e for e in self.cohort if e.exam_id == each["exam_id"])
            breast = next(b for b in exam.breasts if b.side == each["side"])
            condition = Condition(each["perturbation"], each["severity"])
            record = PERTURBATIONS[condition.perturbation]
            title = (
                f"exam {exam.exam_id} {breast.side} under {record.name} {condition.severity:g} {record.unit}: "
                f"score {each['clean']:.4g} → {each['perturbed']:.4g}"
            )
            if record.needs == "exam":
                missing.append(f"{title}: {condition.perturbation} changes no pixel")
                continue
            panels = []
            said: list[str] = []
            try:
                for source in breast.views:
                    panels += list(self._panels([CLEAN, condition], exam, breast, source, said, named=True))
            except UnusableInput as reason:
                missing.append(f"{title}: {reason}")
                continue
            rows.append(Row(title=title, of=condition.perturbation, panels=tuple(panels), notes=tuple(said)))
        return Gallery(rows=tuple(rows), missing=tuple(missing))

    def _row(self, name: str, severities: Sequence[float], exam: Exam, breast: Breast, source: ViewSource) -> Row:
        conditions = [CLEAN, *(Condition(name, severity) for severity in severities)]
        said: list[str] = []
        what = ", ".join(filter(None, (breast.subgroup, "malignant" if breast.malignant else "")))
        return Row(
            title=f"{name}: exam {exam.exam_id}, {source.side}-{source.position}{f', {what}' if what else ''}",
            of=name,
            panels=tuple(self._panels(conditions, exam, breast, source, said)),
            notes=tuple(said),
        )

    def _panels(
        self,
        conditions: Sequence[Condition],
        exam: Exam,
        breast: Breast,
        source: ViewSource,
        said: list[str],
        *,
        named: bool = False,
    ) -> Iterator[tuple[Picture, ...]]:
        """A view and its detail under each condition; what must be told of them is appended to `said`."""
        detail: Detail | None = None
        greys: Greys | None = None
        for condition, view, image in self.sweep.images(exam, breast, source, conditions):
            pixels = np.asarray(image.cpu(), dtype=np.float32)
            if detail is None or greys is None:
                detail = detail_of(Shared(view))
                greys = Greys.of(pixels, detail)
                if view.region is None:
                    said.append(f"{view.name}: {NO_REGION}")
                if shows := view.notes.get(MAY_SHOW):
                    said.append(
                        f"{view.name} may show who the patient is: {shows}; look before you pass this page on, or draw "
                        "none with --mammo-pictures=none"
                    )
            yield _pictures(condition, view, pixels, detail, greys, named=named)

    def _examples(self, name: str) -> list[tuple[Exam, Breast, ViewSource]]:
        """Malignant breasts of the subgroups that claims name; any malignant one where they name none."""
        groups = [t.subgroup for t in self.tolerances if t.perturbation == name and t.subgroup != ALL]
        wanted = list(dict.fromkeys(groups))[:MOST_EXAMPLES] or [ALL]
        found = [example for group in wanted if (example := self._example(name, group)) is not None]
        return found or [e for e in (self._example(name, ALL),) if e is not None]

    def _example(self, name: str, subgroup: str) -> tuple[Exam, Breast, ViewSource] | None:
        """The first malignant breast that can be scored; any breast where none is malignant."""
        for wanted in (True, False):
            for exam in self.cohort:
                for breast in exam.breasts:
                    fits = belongs(breast, subgroup) and bool(breast.malignant) is wanted
                    if fits and self._needs.met(breast, name):
                        marked = [source for source in breast.views if getattr(source, "roi_path", None)]
                        return exam, breast, (marked or list(breast.views))[0]
        return None

    @property
    def _needs(self) -> Needs:
        assert self.sweep.needs is not None
        return self.sweep.needs


def shown_severities(
    record: Perturbation, planned: Sequence[Condition], tolerances: Sequence[Tolerance]
) -> list[float]:
    """Those that claims name and the strongest; of more than fit, some at equal distances with both ends."""
    there = [c.severity for c in planned if c.perturbation == record.name]
    claimed = {s for t in tolerances if t.perturbation == record.name for s in t.judged_severities}
    shown = [severity for severity in there if severity in claimed or severity == there[-1]]
    if len(shown) <= MOST_SEVERITIES:
        return shown
    return [shown[place] for place in np.linspace(0, len(shown) - 1, MOST_SEVERITIES).round().astype(int)]


def _pictures(
    condition: Condition, view: View, pixels: Any, detail: Detail, greys: Greys, *, named: bool
) -> tuple[Picture, Picture]:
    record = None if condition == CLEAN else PERTURBATIONS[condition.perturbation]
    text = "clean" if record is None else f"{condition.severity:g} {record.unit}"
    label = f"{view.side}-{view.position}, {text if record is None else f'{record.name} {text}'}" if named else text
    panel = Panel.of(label, pixels, view, detail, greys, framed=condition == CLEAN)
    # Drawn pixel by pixel on the sheet; a page can enlarge them itself.
    step = detail.size // detail.rows if detail.rows == detail.columns else 1
    told = f"{view.name}, {record.name + ' ' if record else ''}{text}"
    return (
        shrunk(panel.full, label=label, description=f"{told}: the whole view"),
        shrunk(panel.detail[::step, ::step], label=label, description=f"{told}: 20 mm of it"),
    )


def _by_hand(name: str) -> str:
    return f"python -m mammo_fixtures.reports.pictures --perturbation={name} draws it"

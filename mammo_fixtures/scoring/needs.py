"""Which breasts a perturbation can be scored on, and in words why not on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.exams import Breast, Cohort, Exam
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.exam_views import MISSING_VIEW, exchange, withheld_position
from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.record import Perturbation
from mammo_fixtures.scoring.score_table import CLEAN

Side = tuple[str, str]
"""Exam id and side: one breast."""


@dataclass(slots=True, kw_only=True, eq=False)
class Needs:
    """What a classifier and a cohort offer, held against what perturbations need. Decides without decoding a view."""

    cohort: Cohort
    classifier: Classifier
    seed: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    """Why a perturbation can be scored on no breast, by its name."""
    _chosen: dict[int, frozenset[Side]] = field(default_factory=dict)
    _views: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for record in PERTURBATIONS:
            if record.needs == "exam" and record.name != MISSING_VIEW.name and not self._exchanges:
                self.refused[record.name] = "needs a classifier at exam level whose views have counterparts"

    def met(self, breast: Breast, perturbation: str) -> bool:
        """Whether this breast can be scored under a perturbation."""
        if perturbation == CLEAN.perturbation:
            return True
        record = PERTURBATIONS[perturbation]
        if record.name in self.refused:
            return False
        if record.needs == "region":
            return not breast.malignant or has_region(breast)
        if record.name == MISSING_VIEW.name:
            return bool(withheld_position(self._positions(breast), breast.exam_id, self.seed))
        if record.needs == "exam":
            # An exam with a view missing may have none that another could change places with.
            return bool(exchange(self._there(breast.exam_id), breast.exam_id, self.seed))
        if record.subset:
            return (breast.exam_id, breast.side) in self.chosen(record.subset)
        return True

    def chosen(self, count: int) -> frozenset[Side]:
        """A seeded choice of at most so many malignant breasts, and as many others; unlabelled ones never."""
        if count not in self._chosen:
            ordered = sorted(self.cohort.breasts, key=self.place)
            kinds = [[b for b in ordered if b.malignant is kind][:count] for kind in (True, False)]
            self._chosen[count] = frozenset((b.exam_id, b.side) for kind in kinds for b in kind)
        return self._chosen[count]

    def place(self, breast: Breast) -> int:
        """A breast's place in the seeded order, which other breasts do not change."""
        return Key(exam_id=breast.exam_id, side=breast.side, position="", seed=self.seed).digest("subset")

    def looked_at(self, exam: Exam) -> tuple[ViewSource, ...]:
        """Views of an exam that an exam-level classifier takes, in its order."""
        sources = {f"{source.side}-{source.position}": source for source in exam.views}
        return tuple(sources[name] for name in self.classifier.views if name in sources)

    def said(self, perturbation: str) -> str:
        """What a reader must know of the breasts left out; empty where none is."""
        record = PERTURBATIONS[perturbation]
        if record.name in self.refused:
            return self.refused[record.name]
        met = [breast for breast in self.cohort.breasts if self.met(breast, perturbation)]
        if len(met) == len(self.cohort.breasts) and not (record.needs == "region" and _in_some_views(met)):
            return ""
        return self._of_some(record, met)

    def _of_some(self, record: Perturbation, met: list[Breast]) -> str:
        breasts = self.cohort.breasts
        malignant = [sum(bool(breast.malignant) for breast in some) for some in (met, breasts)]
        if record.needs == "region":
            said = f"needs a lesion region; {malignant[0]} of {malignant[1]} malignant breasts have one"
            partly = _in_some_views(met)
            # Right for a lesion that is seen in one view only; where one was not drawn, the score says something else.
            without = "not in every view: a lesion seen there too stays clear inside and is blurred outside"
            return f"{said}, {partly} of them {without}" if partly else said
        if record.needs == "exam" and record.name != MISSING_VIEW.name:
            return f"needs views that can change places; {len(met)} of {len(breasts)} breasts are in exams with them"
        if record.needs == "exam":
            return f"needs two views of a breast; {len(met)} of {len(breasts)} breasts have them"
        return (
            f"judges a seeded choice of {malignant[0]} of {malignant[1]} malignant breasts and "
            f"{len(met) - malignant[0]} of {len(breasts) - malignant[1]} others"
        )

    def _positions(self, breast: Breast) -> list[str]:
        """Positions of the breast's own views that its score is made from."""
        if self.classifier.level == "view":
            return [source.position for source in breast.views]
        return [name[2:] for name in self._there(breast.exam_id) if name[0] == breast.side]

    def _there(self, exam_id: str) -> list[str]:
        """Views that an exam has of those that an exam-level classifier takes."""
        if not self._views:
            wanted = set(self.classifier.views)
            for exam in self.cohort:
                names = [f"{source.side}-{source.position}" for source in exam.views]
                self._views[exam.exam_id] = [name for name in names if name in wanted]
        return self._views[exam_id]

    @property
    def _exchanges(self) -> bool:
        return self.classifier.level == "exam" and bool(exchange(self.classifier.views, "", self.seed))


def by_reason(unmet: Mapping[str, str]) -> list[str]:
    """A line for each reason why breasts are left out, after the perturbations that it is one of."""
    reasons = dict.fromkeys(unmet.values())
    return [f"{', '.join(name for name, said in unmet.items() if said == reason)}: {reason}" for reason in reasons]


def has_region(breast: Breast) -> bool:
    """Whether a lesion region is stated for any view of a breast."""
    return any(map(_is_marked, breast.views))


def _in_some_views(breasts: list[Breast]) -> int:
    """How many malignant breasts have a region in some of their views and none in others."""
    return sum(
        bool(breast.malignant) and has_region(breast) and not all(map(_is_marked, breast.views)) for breast in breasts
    )


def _is_marked(source: object) -> bool:
    return getattr(source, "roi_path", None) is not None or getattr(source, "region", None) is not None

"""Scores the breasts of one exam: decode a view once, share what severities share, drop the view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.gradients import gradients_of
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Breast, Cohort, Exam, View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS, Shared, apply
from mammo_fixtures.perturbations.adversarial import together
from mammo_fixtures.perturbations.exam_views import MISSING_VIEW, VIEW_SWAP, exchange, withheld_position
from mammo_fixtures.perturbations.universal import UniversalFields
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.scoring.signs import signs_of

if TYPE_CHECKING:
    import torch

CPU_BATCH = 1
GPU_BATCH = 8


@dataclass(slots=True, kw_only=True, eq=False)
class Sweep:
    """One process's way through the exams, with the buffers it uses again and again."""

    inference: Inference
    seed: int = 0
    batch_size: int | None = None
    """Images a call of the network; None chooses one on a CPU, where that is fastest, and eight on a GPU."""
    flags: Counter[tuple[str, float, str]] = field(default_factory=Counter)
    """Views by perturbation, severity and what is out of the ordinary with it there."""
    needs: Needs | None = None
    """Which breasts of the cohort are judged; None stands for an exam by itself."""
    fields: UniversalFields | None = None
    """Fields that `universal` adds."""
    _buffer: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.batch_size is not None and self.batch_size < 1:
            raise UnusableInput(f"batch_size must be at least 1, or None to choose one, got {self.batch_size}")

    def unit(self, exam: Exam, breast: Breast) -> tuple[ViewSource, ...]:
        """The views that a breast's score is made from."""
        classifier = self.inference.classifier
        if classifier.level == "view":
            return breast.views
        return tuple(source for source in exam.views if f"{source.side}-{source.position}" in classifier.views)

    def exam(
        self,
        exam: Exam,
        wanted: Mapping[str, Sequence[Condition]],
        read: Callable[[ViewSource], View] = lambda source: source.read(),
    ) -> dict[tuple[str, Condition], float]:
        """Scores by side and condition, for the conditions wanted of each side; `read` opens a view."""
        if self.inference.classifier.level == "exam":
            return self._at_exam_level(exam, wanted, read)
        return self._at_view_level(exam, wanted, read)

    def _at_view_level(
        self, exam: Exam, wanted: Mapping[str, Sequence[Condition]], read: Callable[[ViewSource], View]
    ) -> dict[tuple[str, Condition], float]:
        combine = max if self.inference.classifier.aggregate == "max" else _mean
        scores: dict[tuple[str, Condition], float] = {}
        for breast in exam.breasts:
            conditions = list(wanted.get(breast.side, ()))
            if not conditions:
                continue
            withheld = withheld_position((source.position for source in breast.views), exam.exam_id, self.seed)
            several: dict[Condition, list[float]] = {condition: [] for condition in conditions}
            for source in breast.views:
                there = [c for c in conditions if c.perturbation != MISSING_VIEW.name or source.position != withheld]
                if there:
                    shared = self._shared(read(source), exam, breast, there)
                    for condition, value in zip(there, self._one_view(shared, there), strict=True):
                        several[condition].append(value)
            scores |= {(breast.side, condition): combine(values) for condition, values in several.items()}
        return scores

    def _shared(self, view: View, exam: Exam, breast: Breast, conditions: Sequence[Condition]) -> Shared:
        """A view, with the gradient of its own score where a condition needs one."""
        shared = Shared(view, device=self.inference.device, seed=self.seed)
        following = next((c.perturbation for c in conditions if _follows_gradient(c)), "")
        if following:
            signs = signs_of(exam, breast, following, self._needs(exam))
            shared.ascent.gradients = gradients_of(self.inference, [view], signs)
        if self.fields is not None:
            shared.universal_fields = self.fields.against(exam.exam_id)
        return shared

    def _needs(self, exam: Exam) -> Needs:
        alone = Cohort(name="", exams=(exam,))
        return self.needs or Needs(cohort=alone, classifier=self.inference.classifier, seed=self.seed)

    def _one_view(self, shared: Shared, conditions: Sequence[Condition]) -> list[float]:
        view = shared.view
        scores: list[float] = []
        size = self.batch_size or (CPU_BATCH if self.inference.device.type == "cpu" else GPU_BATCH)
        for start in range(0, len(conditions), size):
            some = conditions[start : start + size]
            images = self._images(len(some), view)
            inputs = [
                self.inference.input(self._image(shared, c, image), _declared(view, c))
                for c, image in zip(some, images, strict=True)
            ]
            scores += self.inference.view_scores(inputs, [_name(view, condition) for condition in some])
        return scores

    def _at_exam_level(
        self, exam: Exam, wanted: Mapping[str, Sequence[Condition]], read: Callable[[ViewSource], View]
    ) -> dict[tuple[str, Condition], float]:
        needed = self.inference.classifier.views
        sources = {f"{source.side}-{source.position}": source for source in self.unit(exam, exam.breasts[0])}
        missing = [name for name in needed if name not in sources]
        if missing:
            raise UnusableInput(
                f"exam {exam.exam_id}: the classifier needs the views {', '.join(needed)}, "
                f"got no {', '.join(missing)}; add them to the manifest, or declare the views it needs"
            )
        shared = {name: self._shared(read(sources[name]), exam, exam.breasts[0], ()) for name in needed}
        scores: dict[tuple[str, Condition], float] = {}
        for condition in dict.fromkeys(c for conditions in wanted.values() for c in conditions):
            given = self._exam_scores(exam, shared, condition)
            for side, conditions in wanted.items():
                if condition in conditions:
                    if side not in given:
                        raise UnusableInput(
                            f"exam {exam.exam_id}, {side}: the network must score both breasts, got a score of "
                            f"{', '.join(sorted(given))} only; give a dict keyed L and R"
                        )
                    scores[side, condition] = given[side]
        return scores

    def _exam_scores(self, exam: Exam, shared: Mapping[str, Shared], condition: Condition) -> dict[str, float]:
        """Scores by side from all views at once."""
        places = exchange(shared, exam.exam_id, self.seed) if condition.perturbation == VIEW_SWAP.name else {}
        taken = {name: shared[places.get(name, name)] for name in shared}
        images = self._exam_images(exam, taken, condition)
        inputs = {
            name: self.inference.input(image, _declared(each.view, condition))
            for (name, each), image in zip(taken.items(), images, strict=True)
        }
        given = self.inference.exam_scores(inputs, f"exam {exam.exam_id} under {_text(condition)}")
        if any(name[0] != place[0] for name, place in places.items()):
            # The score follows the images to the other side.
            given = {"L" if side == "R" else "R": score for side, score in given.items()}
        return given

    def _exam_images(self, exam: Exam, shared: Mapping[str, Shared], condition: Condition) -> list[torch.Tensor]:
        if condition.perturbation == VIEW_SWAP.name:
            return [each.pixels for each in shared.values()]
        if condition.perturbation == MISSING_VIEW.name:
            withheld = withheld_position((name[2:] for name in shared), exam.exam_id, self.seed)
            return [
                each.pixels.new_full(each.view.shape, each.background) if name[2:] == withheld else each.pixels
                for name, each in shared.items()
            ]
        if _follows_gradient(condition):
            signs = signs_of(exam, exam.breasts[0], condition.perturbation, self._needs(exam))
            gradients = gradients_of(self.inference, [each.view for each in shared.values()], signs)
            return together(condition.perturbation, list(shared.values()), condition.severity, gradients)
        return [self._image(each, condition, None) for each in shared.values()]

    def _images(self, count: int, view: View) -> torch.Tensor:
        """Buffers for `count` images of a view's shape: fresh memory pages cost more than the arithmetic."""
        import torch

        buffer = self._buffer
        if buffer is None or buffer.shape[0] < count or buffer.shape[1:] != view.shape:
            buffer = torch.empty((count, *view.shape), dtype=torch.float32, device=self.inference.device)
            self._buffer = buffer
        return buffer[:count]

    def _image(self, shared: Shared, condition: Condition, out: torch.Tensor | None) -> torch.Tensor:
        import torch

        if condition == CLEAN or condition.perturbation == MISSING_VIEW.name:
            return shared.pixels
        record = PERTURBATIONS[condition.perturbation]
        flag = record.flag(shared, condition.severity) if record.flag else ""
        if flag:
            self.flags[record.name, condition.severity, flag] += 1
        return apply(record, shared, condition.severity, torch.empty_like(shared.pixels) if out is None else out)


def _follows_gradient(condition: Condition) -> bool:
    """Whether the gradient is followed while scoring, and not before it as for universal fields."""
    return condition != CLEAN and "ascent" in PERTURBATIONS[condition.perturbation].shares


def _declared(view: View, condition: Condition) -> View:
    """The view as it is declared to the classifier: wrongly, where that is the perturbation."""
    redeclare = None if condition == CLEAN else PERTURBATIONS[condition.perturbation].redeclare
    return redeclare(view, condition.severity) if redeclare else view


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _text(condition: Condition) -> str:
    if condition == CLEAN:
        return "clean"
    record = PERTURBATIONS[condition.perturbation]
    return f"{record.name} {condition.severity:g} {record.unit}"


def _name(view: View, condition: Condition) -> str:
    return f"{view.name}, {_text(condition)}"

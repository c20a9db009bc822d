"""Scores the breasts of one exam: decode a view once, share what severities share, drop the view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mammo_fixtures.classifiers.aggregation import aggregated
from mammo_fixtures.classifiers.gradients import scaled_gradients_of
from mammo_fixtures.classifiers.inference import Inference, batch_said
from mammo_fixtures.classifiers.inputs import coarsest_pixels_mm
from mammo_fixtures.classifiers.memory import OutOfMemory, call_measured, memory_watched
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams import Breast, Cohort, Exam, View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS, Shared
from mammo_fixtures.perturbations.adversarial import Gradients, together
from mammo_fixtures.perturbations.exam_views import MISSING_VIEW, VIEW_SWAP, exchange, withheld_position
from mammo_fixtures.perturbations.universal import UniversalFields
from mammo_fixtures.scoring.batches import Batches
from mammo_fixtures.scoring.begun import Begun, Several
from mammo_fixtures.scoring.images import Image, Images, follows_gradient
from mammo_fixtures.scoring.naming import condition_text, view_text
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.scoring.signs import signs_of
from mammo_fixtures.scoring.uploads import Uploads
from mammo_fixtures.scoring.watch import Watch, unwatched, watched_gradients

if TYPE_CHECKING:
    import torch


@dataclass(slots=True, kw_only=True, eq=False)
class Sweep:
    """One process's way through the exams, with the buffers it uses again and again."""

    inference: Inference
    seed: int = 0
    batch_size: int | None = None
    """Images a call of the network; None chooses one on a CPU, where that is fastest, and by memory on a GPU."""
    neighbours: int = 1
    """Processes that share the device, this one included."""
    cores: int | None = None
    """For this process and what reads ahead of its GPU; None: all that it may run on."""
    flags: Counter[tuple[str, float, str]] = field(default_factory=Counter)
    """Views by perturbation, severity and what is out of the ordinary with it there."""
    noted: dict[tuple[str, str, Condition, str], float] = field(default_factory=dict)
    """Numbers that reports tell, by side, position, condition and name; whoever takes them clears them."""
    needs: Needs | None = None
    """Which breasts of the cohort are judged; None stands for an exam by itself."""
    fields: UniversalFields | None = None
    """Fields that `universal` adds."""
    under_way: float = 0.0
    """Scores of the exam at work that are done, in parts of a breast's views; they are handed over with the exam."""
    beat: Callable[[], None] = lambda: None
    """Called after each batch: an exam may take many minutes."""
    gradients: Callable[..., Gradients] = scaled_gradients_of
    """Gives what adversarial perturbations follow; another one where a pass is only rehearsed."""
    watch: Watch = unwatched
    batches: Batches = field(init=False)
    uploads: Uploads | None = field(init=False)
    """Views on their way to a GPU; None on a CPU."""
    _images: Images = field(init=False)

    def __post_init__(self) -> None:
        device = self.inference.device
        self.batches = Batches(device=device, wanted=self.batch_size, neighbours=self.neighbours)
        self.uploads = Uploads(device) if device.type == "cuda" else None
        self._images = Images(device)

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
        self.under_way = 0.0
        if self.inference.classifier.level == "exam":
            return self._at_exam_level(exam, wanted, read)
        return self._at_view_level(exam, wanted, read)

    def images(
        self, exam: Exam, breast: Breast, source: ViewSource, conditions: Sequence[Condition]
    ) -> Iterator[tuple[Condition, View, torch.Tensor]]:
        """A view as the classifier gets it under each condition, before its own preprocessing; for pictures."""
        if self.inference.classifier.level == "view":
            alone = self._shared(source.read(), exam, breast, conditions)
            for condition in conditions:
                yield condition, alone.view, self._images.make([(alone, condition)])[0].pixels.clone()
            return
        sources = {f"{each.side}-{each.position}": each for each in self.unit(exam, breast)}
        name = f"{source.side}-{source.position}"
        if name not in sources:
            raise UnusableInput(f"exam {exam.exam_id}: the classifier does not look at the view {name}")
        shared = {key: self._shared(each.read(), exam, breast, ()) for key, each in sources.items()}
        for condition in conditions:
            drawn = dict(zip(shared, self._exam_images(exam, shared, condition), strict=True))
            yield condition, shared[name].view, drawn[name].clone()

    def _at_view_level(
        self, exam: Exam, wanted: Mapping[str, Sequence[Condition]], read: Callable[[ViewSource], View]
    ) -> dict[tuple[str, Condition], float]:
        several: Several = {side: {condition: {} for condition in conditions} for side, conditions in wanted.items()}
        begun: Begun | None = None
        for breast in exam.breasts:
            conditions = list(wanted.get(breast.side, ()))
            if not conditions:
                continue
            withheld = withheld_position((source.position for source in breast.views), exam.exam_id, self.seed)
            for source in breast.views:
                there = [c for c in conditions if c.perturbation != MISSING_VIEW.name or source.position != withheld]
                if there:
                    shared = self._shared(read(source), exam, breast, there)
                    begun = self._one_view(shared, there, 1 / len(breast.views), begun, several)
        self._ended(begun, several)
        return {
            (side, condition): aggregated(
                self.inference.classifier, values, f"exam {exam.exam_id}, {side}, {condition_text(condition)}"
            )
            for side, of_side in several.items()
            for condition, values in of_side.items()
        }

    def _shared(self, view: View, exam: Exam, breast: Breast, conditions: Sequence[Condition]) -> Shared:
        """A view, with the gradient of its own score where a condition needs one."""
        shared = self.uploads.take(view) if self.uploads is not None else None
        if shared is None:
            shared = Shared(view, device=self.inference.device, seed=self.seed)
        shared.classifier_pixels_mm = coarsest_pixels_mm(view, self.inference.classifier)
        following = next((c.perturbation for c in conditions if follows_gradient(c)), "")
        if following:
            signs = signs_of(exam, breast, following, self._needs(exam))
            shared.ascent.gradients = watched_gradients(
                self.watch,
                self.gradients(self.inference, [view], signs),
                f"exam {exam.exam_id}, {view.side}-{view.position}, the gradient for {following}",
            )
        if self.fields is not None:
            shared.universal_fields = self.fields.against(exam.exam_id)
        return shared

    def _needs(self, exam: Exam) -> Needs:
        alone = Cohort(name="", exams=(exam,))
        return self.needs or Needs(cohort=alone, classifier=self.inference.classifier, seed=self.seed)

    def _one_view(
        self, shared: Shared, conditions: Sequence[Condition], share: float, begun: Begun | None, several: Several
    ) -> Begun | None:
        """The last calls begun, of a view that makes so large a share of its breast's; `several` gets the others'."""
        left = list(conditions)
        while left:
            some = left[: self.batches.next(len(left))]
            try:
                with memory_watched():
                    following = self._begin(shared, some)
            except OutOfMemory as error:
                self.batches.halve(error)
                self._images.forget()
                continue
            # Asked for only now: a GPU computes the one batch of scores while the next one's images are made.
            self._ended(begun, several)
            begun, left = following, left[len(some) :]
            self.under_way += share * len(some)
            self.beat()
        return begun

    def _begin(self, shared: Shared, conditions: Sequence[Condition]) -> Begun:
        images = self._images.make([(shared, condition) for condition in conditions], in_a_row=True)
        inputs = [self.inference.input(image.pixels, _declared(shared.view, image.condition)) for image in images]
        names = [view_text(shared.view, condition) for condition in conditions]
        shape = (len(inputs), *inputs[0].shape)
        answer = self.watch(batch_said(names), shape, lambda: self._answer(inputs, names, shared.pixels))
        return Begun(shared=shared, conditions=conditions, images=images, answer=answer)

    def _answer(self, inputs: list[torch.Tensor], names: list[str], clean: torch.Tensor) -> Any:
        def begin() -> Any:
            # What was made for one condition is made anew for the next; the clean pixels are not.
            return self.inference.begin(inputs, names, kept=[clean])

        if not self.batches.measuring:
            return begin()
        answer, taken, free = call_measured(self.inference.device, begin)
        self.batches.measure(taken, free)
        return answer

    def _ended(self, begun: Begun | None, several: Several) -> None:
        """The scores of calls that were begun, waited for."""
        if begun is None:
            return
        view = begun.shared.view
        names = [view_text(view, condition) for condition in begun.conditions]
        scores: list[float] = self.watch(batch_said(names), (), lambda: self.inference.end(begun.answer, names))
        for condition, score in zip(begun.conditions, scores, strict=True):
            several[view.side][condition][view.position] = score
        self._count(begun.images)

    def _at_exam_level(
        self, exam: Exam, wanted: Mapping[str, Sequence[Condition]], read: Callable[[ViewSource], View]
    ) -> dict[tuple[str, Condition], float]:
        sources = {f"{source.side}-{source.position}": source for source in self.unit(exam, exam.breasts[0])}
        needed = self._there(exam, sources)
        shared = {name: self._shared(read(sources[name]), exam, exam.breasts[0], ()) for name in needed}
        scores: dict[tuple[str, Condition], float] = {}
        for condition in dict.fromkeys(c for conditions in wanted.values() for c in conditions):
            try:
                with memory_watched():
                    given = self._exam_scores(exam, shared, condition)
            except OutOfMemory as error:
                raise UnusableInput(
                    f"exam {exam.exam_id}: {error}, with the views of one exam on {self.inference.device}; free memory "
                    "there, or give another --mammo-device="
                ) from error
            for side, conditions in wanted.items():
                if condition in conditions:
                    if side not in given:
                        raise UnusableInput(
                            f"exam {exam.exam_id}, {side}: the network must score both breasts, got a score of "
                            f"{', '.join(sorted(given))} only; give a dict keyed L and R"
                        )
                    scores[side, condition] = given[side]
            self.under_way = len(scores)
            self.beat()
        return scores

    def _there(self, exam: Exam, sources: Mapping[str, ViewSource]) -> list[str]:
        """Views that an exam-level classifier gets of an exam, where it says that it takes some missing."""
        classifier = self.inference.classifier
        missing = [name for name in classifier.views if name not in sources]
        if missing and (classifier.missing_views == "refuse" or not sources):
            remedy = ", or declare what it does without: missing_views='blank' or 'leave_out'" if sources else ""
            raise UnusableInput(
                f"exam {exam.exam_id}: the classifier needs the views {', '.join(classifier.views)}, "
                f"got no {', '.join(missing)}; add them to the manifest{remedy}"
            )
        return [name for name in classifier.views if name in sources]

    def _exam_scores(self, exam: Exam, shared: Mapping[str, Shared], condition: Condition) -> dict[str, float]:
        """Scores by side from all views at once."""
        places = exchange(shared, exam.exam_id, self.seed) if condition.perturbation == VIEW_SWAP.name else {}
        taken = {name: shared[places.get(name, name)] for name in shared}
        images = self._exam_images(exam, taken, condition)
        inputs = {
            name: self.inference.input(image, _declared(each.view, condition))
            for (name, each), image in zip(taken.items(), images, strict=True)
        }
        classifier = self.inference.classifier
        if classifier.missing_views == "blank":
            blank = self.inference.blank(next(iter(inputs.values())))
            inputs = {name: inputs.get(name, blank) for name in classifier.views}
        name = f"exam {exam.exam_id} under {condition_text(condition)}"
        shape = tuple(size for each in inputs.values() for size in each.shape)
        given: dict[str, float] = self.watch(name, shape, lambda: self.inference.exam_scores(inputs, name))
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
        if follows_gradient(condition):
            signs = signs_of(exam, exam.breasts[0], condition.perturbation, self._needs(exam))
            gradients = watched_gradients(
                self.watch,
                self.gradients(self.inference, [each.view for each in shared.values()], signs),
                f"exam {exam.exam_id}, the gradient for {condition_text(condition)}",
            )
            return together(condition.perturbation, list(shared.values()), condition.severity, gradients)
        images = self._images.make([(each, condition) for each in shared.values()])
        self._count(images)
        return [image.pixels for image in images]

    def _count(self, images: Iterable[Image]) -> None:
        for each in images:
            self.noted |= each.notes
            if each.flag:
                self.flags[(*each.condition, each.flag)] += 1


def _declared(view: View, condition: Condition) -> View:
    """The view as it is declared to the classifier: wrongly, where that is the perturbation."""
    redeclare = None if condition == CLEAN else PERTURBATIONS[condition.perturbation].redeclare
    return redeclare(view, condition.severity) if redeclare else view

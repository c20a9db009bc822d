"""How fast this machine does a pass: a few views decoded, perturbed and scored, and nothing kept of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from mammo_fixtures.classifiers.gradients import scaled_gradients_of
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.exams import Exam, View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.adversarial import gradients_needed
from mammo_fixtures.scoring.cost_model import Rates
from mammo_fixtures.scoring.images import follows_gradient
from mammo_fixtures.scoring.outlook import Outlook, Wanted
from mammo_fixtures.scoring.pipeline import decoders_of
from mammo_fixtures.scoring.reading import Request, answered
from mammo_fixtures.scoring.score_table import CLEAN, Condition
from mammo_fixtures.scoring.shared_memory import possible
from mammo_fixtures.scoring.sweep import Sweep

if TYPE_CHECKING:
    from torch import Tensor

CALIBRATION_SECONDS = 10.0
"""No further view is begun after that."""
MOST_VIEWS = 8
REAL_CALLS = 3
"""Of the network, at least, where it is not slow; the first is left out, which makes ready what others use again."""
REAL_SECONDS = 4.0
"""A network that took longer is not called again."""
QUICK_SECONDS = 1.0
"""A network that took less is called for every image: on a busy machine a few calls in a row may all be slow."""
_Opened = Mapping[ViewSource, View]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Rates, and what they were measured on."""

    rates: Rates
    views: int
    seconds: float
    batch: int
    """Images a call of the network."""


@dataclass(slots=True, eq=False)
class _Calls:
    """Calls that are timed a few times and played back after that, each kind by itself."""

    wait: Callable[[], None]
    seconds: dict[Any, list[float]] = field(default_factory=dict)
    answers: dict[Any, Any] = field(default_factory=dict)

    def __call__(self, kind: Any, call: Callable[[], Any]) -> Any:
        took = self.seconds.setdefault(kind, [])
        spent = sum(took)
        if spent > REAL_SECONDS or (len(took) >= REAL_CALLS and spent > QUICK_SECONDS):
            return self.answers[kind]
        self.wait()
        began = time.perf_counter()
        self.answers[kind] = call()
        self.wait()
        took.append(time.perf_counter() - began)
        return self.answers[kind]

    @property
    def spent(self) -> float:
        return sum(map(sum, self.seconds.values()))

    def typical(self, kind: Any) -> float:
        took = self.seconds[kind]
        return median(took[1:] or took)


class _Rehearsed(Inference):
    """An inference whose network is called for a few images only, and then gives the same answers again."""

    def __init__(self, played: Inference, calls: _Calls) -> None:
        self.__dict__.update(played.__dict__)
        self._calls = calls

    def _called(self, network: Callable[..., Any], batch: Any) -> Any:
        kind = len(next(iter(batch.values()))) if isinstance(batch, Mapping) else len(batch)
        return self._calls(kind, lambda: super(_Rehearsed, self)._called(network, batch))


@dataclass(slots=True, kw_only=True, eq=False)
class _Rehearsal:
    """A sweep that calls the network and follows its gradient a few times only, and what took how long."""

    sweep: Sweep
    network: _Calls
    gradient: _Calls
    decode: list[float] = field(default_factory=list)
    """Seconds of each view."""

    @classmethod
    def of(cls, sweep: Sweep) -> _Rehearsal:
        device = sweep.inference.device

        def wait() -> None:
            if device.type == "cuda":
                import torch

                torch.cuda.synchronize(device)

        network, gradient = _Calls(wait), _Calls(wait)

        def played_gradients(inference: Inference, views: Sequence[View], signs: Mapping[str, float]) -> Any:
            real = scaled_gradients_of(inference, views, signs)

            def gradients(images: Sequence[Tensor]) -> list[Tensor]:
                kind = tuple(tuple(image.shape) for image in images)
                found: list[Tensor] = gradient(kind, lambda: real(images))
                return found

            return gradients

        inference = _Rehearsed(sweep.inference, network)
        trial = replace(sweep, inference=inference, gradients=played_gradients, flags=Counter(), noted={})
        return cls(sweep=trial, network=network, gradient=gradient)

    def read(self, exam: Exam, wanted: Wanted) -> dict[ViewSource, View]:
        """The views that an exam's scores are made from, each as in the pass."""
        uploads = self.sweep.uploads
        # Beside a GPU, readers do what is the CPU's to do of a view.
        work, conditions = uploads is not None and possible(), [c for some in wanted.values() for c in some]
        opened: dict[ViewSource, View] = {}
        for source in (s for b in exam.breasts if b.side in wanted for s in self.sweep.unit(exam, b)):
            if source not in opened:
                start = time.perf_counter()
                answer = answered(Request(source=source, conditions=conditions, seed=self.sweep.seed), work=work)
                opened[source] = answer.view
                self.decode.append(time.perf_counter() - start)
                if uploads is not None:
                    uploads.begin(answer.view, answer.done, seed=self.sweep.seed)
        return opened

    def seconds(
        self, exam: Exam, wanted: Mapping[str, Sequence[Condition]], opened: Mapping[ViewSource, View]
    ) -> float:
        """Of everything in an exam but the network's calls."""
        before, start = self.network.spent, time.perf_counter()
        self.sweep.exam(exam, wanted, opened.__getitem__)
        self.network.wait()
        return time.perf_counter() - start - (self.network.spent - before)

    def step_seconds(self, exam: Exam, wanted: Wanted, opened: _Opened) -> float:
        """Of a gradient with the step along it; 0 where nothing follows one."""
        following = next((c for some in wanted.values() for c in some if follows_gradient(c)), None)
        if following is None:
            return 0.0
        sides = {side: [following] for side, some in wanted.items() if following in some}
        arithmetic = self.seconds(exam, sides, opened) - self.gradient.spent
        steps = gradients_needed(PERTURBATIONS[following.perturbation], 1) * _images(self.sweep, exam, sides)
        return max(0.0, arithmetic) / steps + median(map(self.gradient.typical, self.gradient.seconds))


def calibrate(sweep: Sweep, ahead: Outlook) -> Calibration:
    """Rates of this process on its device, for what is left to do. Needs something left; the store is not asked.

    Each view is perturbed as in the pass, under all conditions that it lacks; of the network's calls only the first
    few are real.
    """
    began = time.perf_counter()
    rehearsal = _Rehearsal.of(sweep)
    images = views = 0
    spent = step = 0.0
    for exam, wanted in _samples(sweep, ahead):
        if views and (views >= MOST_VIEWS or time.perf_counter() - began > CALIBRATION_SECONDS):
            break
        plain = {side: tuple(c for c in some if not _apart(sweep, c)) for side, some in wanted.items()}
        opened = rehearsal.read(exam, plain)
        spent += rehearsal.seconds(exam, plain, opened)
        images += _images(sweep, exam, plain)
        views += len(opened)
        if not rehearsal.gradient.seconds:
            step = rehearsal.step_seconds(exam, wanted, opened)
    batch = max(rehearsal.network.seconds)
    return Calibration(
        rates=Rates(
            decode=median(rehearsal.decode),
            perturb=max(0.0, spent) / images,
            classify=rehearsal.network.typical(batch) / (batch if sweep.inference.classifier.level == "view" else 1),
            gradient=step,
            decoders=decoders_of(sweep),
        ),
        views=views,
        seconds=time.perf_counter() - began,
        batch=batch,
    )


def _apart(sweep: Sweep, condition: Condition) -> bool:
    """Conditions that are measured otherwise, or that a single view does not have."""
    if condition == CLEAN:
        return False
    needs = PERTURBATIONS[condition.perturbation].needs
    alone = sweep.inference.classifier.level == "view" and needs == "exam"
    unfitted = needs == "gradient" and not follows_gradient(condition) and sweep.fields is None
    return follows_gradient(condition) or alone or unfitted


def _images(sweep: Sweep, exam: Exam, wanted: Mapping[str, Sequence[Condition]]) -> int:
    """Calls of the network, in images."""
    if sweep.inference.classifier.level == "exam":
        return len({c for some in wanted.values() for c in some})
    return sum(len(b.views) * len(wanted.get(b.side, ())) for b in exam.breasts)


def _samples(sweep: Sweep, ahead: Outlook) -> Iterator[tuple[Exam, Wanted]]:
    """What is left, from all over the cohort; of a view-level classifier's exams one view each, clean at least."""
    count = min(len(ahead.left), MOST_VIEWS)
    for number in range(count):
        exam, wanted = ahead.left[number * len(ahead.left) // count]
        if sweep.inference.classifier.level == "exam":
            yield exam, {side: (CLEAN, *(c for c in some if c != CLEAN)) for side, some in wanted.items()}
            continue
        breast = next(b for b in exam.breasts if b.side in wanted)
        one = replace(breast, views=breast.views[:1])
        conditions = (CLEAN, *(c for c in wanted[breast.side] if c != CLEAN))
        yield replace(exam, breasts=(one,)), {breast.side: conditions}

"""Runs a classifier on its device and checks every score it gives."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.classifiers.answers import real_numbers
from mammo_fixtures.classifiers.classifier import Classifier, called
from mammo_fixtures.classifiers.downloads import Download
from mammo_fixtures.classifiers.inputs import classifier_input
from mammo_fixtures.classifiers.memory import keep_freed_memory, memory_watched
from mammo_fixtures.classifiers.placement import place
from mammo_fixtures.classifiers.speed import DEFAULT_SPEED, arithmetic, check_speed, faster
from mammo_fixtures.errors import ClassifierRaised, UnusableInput

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mammo_fixtures.exams import View

PRECISIONS = ("fp32", "bf16", "fp16")
_GPU_FAILED = ("CUDA error", "CUDNN_STATUS", "CUBLAS_STATUS", "cuDNN error", "HIP error", "NVML")
"""In the texts of RuntimeErrors, of a GPU that is lost or fails; nothing that the network's author declared."""
_AS_BEFORE = {"fp32": 1e-3, "bf16": 5e-2, "fp16": 1e-2}
"""Relative difference that running a network faster may make to its first scores."""


class Inference:
    """A classifier placed on a device, in evaluation mode, without gradients."""

    def __init__(
        self,
        classifier: Classifier,
        *,
        device: str = "auto",
        precision: str = "fp32",
        speed: Collection[str] = DEFAULT_SPEED,
    ) -> None:
        if precision not in PRECISIONS:
            raise UnusableInput(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
        self.classifier = classifier
        self.device = resolve_device(device)
        self.precision = precision
        self._process = os.getpid()
        self._check_defaults()
        place(classifier.network, self.device, precision)
        self.speed = check_speed(speed)
        self.arithmetic = arithmetic(precision, self.speed)
        """What decides the last bits of a score, beside classifier and input."""
        if "allocator" in self.speed:
            keep_freed_memory()
        self._network = faster(classifier.network, self.speed, name=classifier.name)
        self._proven = self._network is classifier.network

    def input(self, image: Tensor, view: View) -> Tensor:
        return classifier_input(image, view, self.classifier)

    def view_scores(self, inputs: Sequence[Tensor], names: Sequence[str]) -> list[float]:
        """One score for each input (channels, rows, columns); `names` say which, for messages."""
        return self.end(self.begin(inputs, names), names)

    def begin(
        self, inputs: Sequence[Tensor], names: Sequence[str] = (), *, kept: Sequence[Tensor] | None = None
    ) -> Any:
        """The network's answer to a batch; a GPU may still be working on it.

        A network may work in place. `kept` are the images that it must not reach: an input that shares memory with none
        of them is given as it is, and may be changed. By default no input is.
        """
        import torch

        given = self._run(batch_of(inputs, kept), names)
        # A copy either way: the network's next answer is begun before this one is looked at, and may come in the same
        # memory, as that of networks does which were made for one buffer.
        return Download(given) if self.device.type == "cuda" and isinstance(given, torch.Tensor) else _own(given)

    def end(self, given: Any, names: Sequence[str]) -> list[float]:
        """The scores of an answer, waited for and checked."""
        try:
            with memory_watched():
                return self._checked(given.wait() if isinstance(given, Download) else given, names)
        except UnusableInput:
            raise
        except Exception as error:  # what a GPU was asked to do fails where it is waited for
            raise self._raised(error, batch_said(names)) from error

    def blank(self, like: Tensor) -> Tensor:
        """The input of a view that is not there, of another one's size: the value of black all over."""
        import torch

        return torch.full_like(like, self.classifier.intensity[0])

    def exam_scores(self, inputs: Mapping[str, Tensor], name: str) -> dict[str, float]:
        """Scores of `L` and `R` from one input for each view, keyed `L-CC`."""
        import torch

        # Stacked, which copies: a network that works in place must not reach the view's own pixels.
        given = self._run({key: torch.stack([value]) for key, value in inputs.items()}, [name])
        if not isinstance(given, Mapping) or not set(given) <= {"L", "R"} or not given:
            got = sorted(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
            raise self._bad(f"an exam-level network must give a dict of scores keyed L and R, got {got}")
        return {side: self._checked(value, [f"{name}, {side}"])[0] for side, value in given.items()}

    def _run(self, batch: Any, names: Sequence[str]) -> Any:
        batch = self._laid_out(batch)
        try:
            with memory_watched():
                if not self._proven:
                    # A copy: the network may work in place.
                    expected = self._called(self.classifier.network, _copied(batch))
                    self._prove(self._called(self._network, _copied(batch)), expected)
                    self._proven = True
                answer = self._called(self._network, batch)
            self._check_defaults()
            return answer
        except UnusableInput:
            raise
        except (Exception, SystemExit) as error:
            shape = {k: tuple(v.shape) for k, v in batch.items()} if isinstance(batch, dict) else tuple(batch.shape)
            raise self._raised(error, f"float32 {shape} of {batch_said(names)}") from error

    def _check_defaults(self) -> None:
        """Perturbations make tensors of torch's default type and place, which a network can change for all of them."""
        import torch

        if torch.get_default_dtype() != torch.float32:
            raise self._bad(
                f"torch's default dtype must stay float32, got {torch.get_default_dtype()}; give dtype= where the "
                "network makes its tensors, or set the default back when it is loaded"
            )
        if torch.get_default_device().type != "cpu":
            raise self._bad(
                f"torch's default device must stay cpu, got {torch.get_default_device()}; give device= where the "
                "network makes its tensors, or set the default back; --mammo-device= says where it runs"
            )

    def _raised(self, error: BaseException, what: str) -> ClassifierRaised:
        got = f"{type(error).__name__}: {error}"
        if any(part in str(error) for part in _GPU_FAILED):
            return ClassifierRaised(
                f"{called(self.classifier.name)}: the GPU must answer for {what}, it failed: {got}; look at "
                "it (nvidia-smi), and run again there or with --mammo-device=cpu"
            )
        return ClassifierRaised(
            f"{called(self.classifier.name)}: the network must accept {what}, it raised {got}; look at its "
            "traceback, or declare input_size and channels as the network needs them"
        )

    def _called(self, network: Callable[..., Any], batch: Any) -> Any:
        import torch

        try:
            with torch.inference_mode():
                if self.precision == "fp32":
                    return network(batch)
                dtype = torch.bfloat16 if self.precision == "bf16" else torch.float16
                with torch.autocast(self.device.type, dtype=dtype):
                    return network(batch)
        finally:
            if os.getpid() != self._process:  # a copy that the network forked, and that came back: no second run
                os._exit(1)

    def _laid_out(self, batch: Any) -> Any:
        import torch

        if "channels_last" not in self.speed:
            return batch
        if isinstance(batch, dict):
            return {name: each.contiguous(memory_format=torch.channels_last) for name, each in batch.items()}
        return batch.contiguous(memory_format=torch.channels_last)

    def _prove(self, given: Any, expected: Any) -> None:
        """The first scores of a network made faster are held against its own."""
        import torch

        pairs = [(given[k], expected[k]) for k in expected] if isinstance(expected, Mapping) else [(given, expected)]
        for fast, own in pairs:
            error = float((torch.as_tensor(fast).double() - torch.as_tensor(own).double()).abs().max())
            scale = max(1.0, float(torch.as_tensor(own).double().abs().max()))
            if error > _AS_BEFORE[self.precision] * scale:
                raise self._bad(
                    f"speed {', '.join(self.speed)} must leave the scores as they are, they moved by {error:.3g}; "
                    "leave it out"
                )

    def _checked(self, given: Any, names: Sequence[str]) -> list[float]:
        values, got = real_numbers(given)
        if values is None or values.shape not in ((len(names),), (len(names), 1)):
            what = "breast" if self.classifier.level == "exam" else "view"
            raise self._bad(
                f"scores must be real numbers of shape ({len(names)},) or ({len(names)}, 1), one a {what}, got {got} "
                f"for {batch_said(names)}; wrap the network so that it gives the score of malignancy alone"
            )
        scores: list[float] = values.reshape(-1).double().tolist()
        for value, name in zip(scores, names, strict=True):
            if not math.isfinite(value):
                raise self._bad(f"scores must be finite, got {value} for {name}; look at the network's input there")
            if self.classifier.score == "probability" and not 0 <= value <= 1:
                raise self._bad(
                    f"a probability must lie in [0, 1], got {value:.9g} for {name}; declare score='logit' if it is one"
                )
        return scores

    def _bad(self, what: str) -> UnusableInput:
        return UnusableInput(f"{called(self.classifier.name)}: {what}")


def batch_of(inputs: Sequence[Tensor], kept: Sequence[Tensor] | None) -> Tensor:
    """Inputs (channels, rows, columns) as one batch: a copy, unless they are one already whose memory nobody keeps."""
    import torch

    one = inputs[0]
    if kept is None or one.shape[0] > 1 or not _in_a_row(inputs):
        return torch.stack(list(inputs))
    memory = one.untyped_storage().data_ptr()
    if any(each.untyped_storage().data_ptr() == memory for each in kept):
        return torch.stack(list(inputs))
    # Strides as in a copy: of an axis of length 1 they may be anything, and kernels are chosen by them.
    rows, columns = one.shape[1:]
    return one.as_strided((len(inputs), 1, rows, columns), (rows * columns, rows * columns, columns, 1))


def _in_a_row(inputs: Sequence[Tensor]) -> bool:
    """Whether inputs of one shape follow one another in memory."""
    one = inputs[0]
    memory, size = one.untyped_storage().data_ptr(), one.nbytes
    return all(
        each.shape == one.shape
        and each.is_contiguous()
        and each.untyped_storage().data_ptr() == memory
        and each.data_ptr() == one.data_ptr() + number * size
        for number, each in enumerate(inputs)
    )


def batch_said(names: Sequence[str]) -> str:
    """Which images a batch holds, for messages."""
    more = f" and {len(names) - 1} more in its batch" if len(names) > 1 else ""
    return f"{names[0]}{more}" if names else "a batch"


def _copied(batch: Any) -> Any:
    return {name: each.clone() for name, each in batch.items()} if isinstance(batch, dict) else batch.clone()


def _own(given: Any) -> Any:
    """An answer in memory that the network does not know."""
    import torch

    if isinstance(given, (list, tuple)):
        return (list if isinstance(given, list) else tuple)(map(_own, given))
    if isinstance(given, torch.Tensor):
        return given.clone()
    return given.copy() if isinstance(given, np.ndarray) else given


def resolve_device(device: str) -> torch.device:
    """`auto` is the first visible GPU, else the CPU."""
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError:
        chosen = torch.device("meta")
    if chosen.type not in ("cpu", "cuda"):
        raise UnusableInput(f"device must be auto, cpu, cuda or cuda:1, got {device!r}")
    if chosen.type == "cuda" and (chosen.index or 0) >= (torch.cuda.device_count() if torch.cuda.is_available() else 0):
        raise UnusableInput(
            f"device must be there, got {device!r} where {torch.cuda.device_count()} GPUs are visible; use cpu or auto"
        )
    return chosen

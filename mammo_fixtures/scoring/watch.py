"""Who looks on while a network is called: nobody, unless a run says so."""

from __future__ import annotations

import faulthandler
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.adversarial import Gradients

if TYPE_CHECKING:
    import torch

Watch = Callable[[str, tuple[int, ...], Callable[[], Any]], Any]
"""Makes a call of the network, told which images it is about and their shape; may end a process that hangs in it."""

FIRST = 6
"""Times as long may take the first call of each shape, in which networks are compiled and tuned."""
AFTER_SECONDS = 30.0
"""How much later a process is ended whose interpreter is held by native code, so that no thread of it runs."""


def unwatched(name: str, shape: tuple[int, ...], call: Callable[[], Any]) -> Any:
    """The call as it is."""
    return call()


def watched_gradients(watch: Watch, gradients: Gradients, name: str) -> Gradients:
    """The gradients of a score, each call of them watched."""

    def watched(images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        found: list[torch.Tensor] = watch(name, (-1, *images[0].shape), lambda: gradients(images))
        return found

    return watched


def late(classifier: str, seconds: float, name: str) -> UnusableInput:
    """No answer came in time for the images that a call is about."""
    return UnusableInput(
        f"classifier {classifier or '?'}: an answer must come within {seconds:g} s, none came for {name}; look at the "
        "network there, or give it longer: --mammo-timeout=SECONDS"
    )


class Limited:
    """A `Watch` that makes each call in a thread of its own and raises UnusableInput when it takes too long.

    For a process that must live to tell it, such as an actor on another machine. The thread is left to its call; native
    code that never lets go of the interpreter ends the process instead.
    """

    def __init__(self, seconds: float, classifier: str) -> None:
        self._seconds = seconds
        self._classifier = classifier
        self._known: set[tuple[int, ...]] = set()
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        # Not an executor, whose threads are waited for when the process ends.
        threading.Thread(target=self._make, name="mammo classifier", daemon=True).start()

    def __call__(self, name: str, shape: tuple[int, ...], call: Callable[[], Any]) -> Any:
        seconds = self._seconds * (1 if shape in self._known else FIRST)
        self._known.add(shape)
        made: Future[Any] = Future()
        faulthandler.dump_traceback_later(seconds + AFTER_SECONDS, exit=True, file=2)
        self._calls.put((call, made))
        try:
            return made.result(seconds)
        except TimeoutError:
            if made.done():
                raise  # of the network's own
            raise late(self._classifier, seconds, name) from None
        finally:
            faulthandler.cancel_dump_traceback_later()

    def _make(self) -> None:
        while True:
            call, made = self._calls.get()
            try:
                made.set_result(call())
            except BaseException as error:
                made.set_exception(error)

"""Processes that read views ahead of a GPU, and do of them what is the CPU's to do.

In threads, decoders that hold the interpreter's lock would keep the GPU waiting: those of JPEG 2000 and of compressed
DICOM files do so for a tenth of a second and more a view, in which a GPU scores a hundred images.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.reduction import send_handle

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.scoring.reader_process import ASK, MEMORY, NOT_HERE
from mammo_fixtures.scoring.reading import Answer, Request, answered
from mammo_fixtures.scoring.shared_memory import Memory, Pin

READ_SECONDS = 600.0
"""A full-size view takes a second or two, over a slow network a minute."""


class Readers:
    """Reader processes, as many as ask at once, and as much memory as answers are held. Any thread may ask."""

    def __init__(self, pin: Pin = lambda memory: lambda: None, seconds: float = READ_SECONDS) -> None:
        self._pin = pin
        self._seconds = seconds
        self._lock = threading.Lock()
        self._idle: list[_Reader] = []
        self._all: list[_Reader] = []
        self._free: list[Memory] = []
        self._memories: list[Memory] = []

    def read(self, request: Request) -> Answer:
        """The view read and worked on; in this process, and only read, where another one cannot.

        Whatever reading raises is then raised here. The memory of its arrays is used again once none of them is left.
        """
        try:
            asked = pickle.dumps(request)
        except Exception:
            return answered(request, work=False)
        reader, memory = self._taken()
        try:
            found = reader.ask(asked, memory, self._pin, lambda: self._give_back(memory), self._seconds)
        except TimeoutError as error:
            reader.close()
            self._give_back(memory)
            raise UnusableInput(
                f"{_named(request)}: it must be read within {self._seconds:g} s, it was not; look at the file and "
                "where it lies, or at what stopped the reading process, and run again: nothing that was scored is lost"
            ) from error
        except (EOFError, OSError) as error:
            self._give_back(memory)
            raise self._ended(reader, request) from error
        with self._lock:
            self._idle.append(reader)
        return answered(request, work=False) if found is None else found

    def close(self) -> None:
        with self._lock:
            for reader in self._all:
                # Of one that is being asked the connection is the asking thread's to close.
                (reader.close if reader in self._idle else reader.kill)()
            for memory in self._memories:
                memory.close()
            for several in (self._all, self._idle, self._memories, self._free):
                several.clear()

    def _taken(self) -> tuple[_Reader, Memory]:
        with self._lock:
            reader = self._idle.pop() if self._idle else None
            if self._free:
                memory = self._free.pop()
            else:
                memory = Memory(len(self._memories))
                self._memories.append(memory)
        if reader is None:
            reader = _Reader()
            with self._lock:
                self._all.append(reader)
        return reader, memory

    def _give_back(self, memory: Memory) -> None:
        # Called where an array is dropped, which may be anywhere: no lock, which might be held there.
        if memory.handle >= 0:
            self._free.append(memory)

    def _ended(self, reader: _Reader, request: Request) -> UnusableInput:
        status = reader.close()
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return UnusableInput(
            f"{_named(request)}: the process that reads it must go on, it ended with {how}; look at the file, or at "
            "memory (signal 9), and run again: nothing that was scored is lost"
        )


def _named(request: Request) -> str:
    source = request.source
    return f"exam {source.exam_id}, {source.side}-{source.position}"


class _Reader:
    """One process."""

    def __init__(self) -> None:
        self._knows: set[int] = set()
        self._connection, other = Pipe()
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mammo_fixtures.scoring.reader_process", str(other.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
            pass_fds=(other.fileno(),),
        )
        other.close()

    def ask(self, asked: bytes, memory: Memory, pin: Pin, free: Callable[[], None], seconds: float) -> Answer | None:
        """What came of it; None where the process cannot read the view. Raises TimeoutError where nothing comes."""
        number = memory.number.to_bytes(4)
        if memory.number not in self._knows:
            self._connection.send_bytes(MEMORY + number)
            send_handle(self._connection, memory.handle, self._process.pid)
            self._knows.add(memory.number)
        self._connection.send_bytes(ASK + number + asked)
        if not self._connection.poll(seconds):
            raise TimeoutError
        came = self._connection.recv_bytes()
        if came == NOT_HERE:
            free()
            return None
        said, sizes, told = pickle.loads(came)
        for category, message in told:
            warnings.warn(message, category, stacklevel=2)
        answer: Answer = pickle.loads(said, buffers=[each.data for each in memory.arrays(sizes, pin, free)])
        return answer

    def kill(self) -> None:
        """End it under whoever asks it, who is then told that it ended."""
        self._process.kill()
        self._process.wait()

    def close(self) -> int:
        """Its exit status."""
        self._connection.close()
        try:
            return self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

"""Limits on what an endpoint may answer: no more bytes than scores need, and all of them in time."""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from socket import socket

MOST_BYTES = 2**20
"""Of headers and content: some 40,000 scores."""


class TooLarge(Exception):
    """An answer of more bytes than are read."""


class LimitedAnswer(http.client.HTTPResponse):
    """A response whose bytes are counted and whose time is up at once, whatever it consists of.

    A socket's own timeout starts anew with every byte, so that an endless answer in drops would never meet it.
    """

    def __init__(self, sock: socket, *more: Any, **how: Any) -> None:
        super().__init__(cast("socket", _Limited(sock)), *more, **how)


class _Limited:
    """All of a socket that a response uses: a file to read from."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> BinaryIO:
        return cast("BinaryIO", _Reader(_Bytes(self._sock)))


class _Reader(io.BufferedReader):
    """Asks for no memory on the word of a header: a declared length or chunk may be of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(-1 if size is None else min(size, MOST_BYTES + 1))


class _Bytes(io.RawIOBase):
    """Bytes of a socket, up to a number of them, and up to the socket's timeout for all of them together."""

    def __init__(self, sock: socket) -> None:
        # Unbuffered, it also keeps the socket open after the connection lets go of it.
        self._sock, self._raw, self._left = sock, cast("io.RawIOBase", sock.makefile("rb", buffering=0)), MOST_BYTES
        self._seconds = sock.gettimeout()
        self._end = None if self._seconds is None else time.monotonic() + self._seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        late = f"no whole answer within {self._seconds:g} s" if self._seconds is not None else ""
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError(late)
            self._sock.settimeout(left)
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError as error:
            raise TimeoutError(late) from error
        self._left -= count or 0
        if self._left < 0:
            raise TooLarge
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()

"""An endpoint that answers without end, or with more than scores need, is given up in one line."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from mammo_fixtures import UnusableInput
from mammo_fixtures.classifiers import http_classifier
from mammo_fixtures.classifiers.http_answer import MOST_BYTES

HEAD = b"HTTP/1.1 200 OK\r\n"
DECLARATION = b'{"declaration": {"score": "logit", "intensity": [0, 1]}}'


@contextmanager
def raw(pieces, pause=0.0):
    """The address of a server that sends these pieces of bytes to whoever connects, and how often somebody did."""
    server, visits, ended = socket.create_server(("127.0.0.1", 0)), [], threading.Event()

    def answer(visitor):
        with visitor:
            visitor.recv(2**16)
            for piece in pieces():
                if ended.wait(pause):
                    return
                try:
                    visitor.sendall(piece)
                except OSError:
                    return

    def serve():
        while True:
            try:
                visitor, _ = server.accept()
            except OSError:
                return
            visits.append(visitor)
            threading.Thread(target=answer, args=(visitor,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/score", visits
    finally:
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def refused(pieces, pause=0.0, **how):
    """What is said, and how many requests were made."""
    with raw(pieces, pause) as (address, visits):
        begin = time.monotonic()
        with pytest.raises(UnusableInput) as caught:
            http_classifier(address, first_pause_seconds=0.001, **how)
        assert time.monotonic() - begin < 20
    return str(caught.value).replace(address, "ADDRESS"), len(visits)


def forever(first, piece):
    def pieces():
        yield first
        while True:
            yield piece

    return pieces


def chunked(size):
    return b"%x\r\n" % size + bytes(size) + b"\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        forever(HEAD + b"\r\n", bytes(2**16)),
        forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunked(2**16)),
        forever(HEAD + b"Content-Length: 999999999999\r\n\r\n", bytes(2**16)),
        forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n", bytes(2**16)),
        forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ],
    ids=["until it closes", "chunks", "a length", "a chunk", "only to go on"],
)
def test_an_endless_answer_is_read_up_to_its_limit_and_asked_for_once(pieces):
    said, visits = refused(pieces)
    assert said == (
        f"endpoint ADDRESS: an answer may have at most {MOST_BYTES} bytes, got more; look at what answers there "
        "(docs/http.md)"
    )
    assert visits == 1


@pytest.mark.parametrize(
    ("first", "drop"),
    [(HEAD + b"\r\n", b" "), (HEAD, b"a"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")],
    ids=["content", "header", "only to go on"],
)
def test_an_answer_in_drops_is_given_up_in_time(first, drop):
    said, visits = refused(forever(first, drop), pause=0.02, timeout_seconds=0.3, tries=2)
    assert said == (
        "endpoint ADDRESS: it must answer, 2 tries ended with TimeoutError: no whole answer within 0.3 s; look "
        "whether it runs (docs/http.md)"
    )
    assert visits == 2


@pytest.mark.parametrize(
    "head", [b"Content-Length: 999999999999\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n"]
)
def test_a_length_that_is_only_declared_takes_no_memory(head):
    said, visits = refused(lambda: [HEAD + head + DECLARATION], tries=2)
    assert said.startswith("endpoint ADDRESS: it must answer, 2 tries ended with IncompleteRead")
    assert visits == 2


def test_an_answer_in_pieces_and_of_the_largest_size_is_read():
    head = HEAD + b"Content-Length: %d\r\n\r\n"
    size = MOST_BYTES - len(head % MOST_BYTES)
    content = DECLARATION.ljust(size)
    whole = head % size + content
    assert len(whole) == MOST_BYTES
    with raw(lambda: (whole[at : at + 9973] for at in range(0, len(whole), 9973))) as (address, _):
        assert http_classifier(address).score == "logit"
    closing = HEAD + b"Connection: close\r\n\r\n" + DECLARATION
    with raw(lambda: [closing]) as (address, _):
        assert http_classifier(address).score == "logit"

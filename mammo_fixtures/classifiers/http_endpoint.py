"""Classifiers behind an HTTP endpoint; the contract is in `docs/http.md`."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import json
import reprlib
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

import numpy as np

from mammo_fixtures.classifiers.arrays import as_array
from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.classifiers.declaration import checked, made
from mammo_fixtures.classifiers.endpoint_settings import check_address, check_headers, check_patience
from mammo_fixtures.classifiers.http_answer import MOST_BYTES, LimitedAnswer, TooLarge
from mammo_fixtures.classifiers.placement import full_precision_only
from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    import torch

NPY, NPZ = "application/x-npy", "application/x-npz"
TIMEOUT_SECONDS = 60.0
TRIES = 4
FIRST_PAUSE_SECONDS = 0.5
"""Doubled before every further try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where requests go, and how patiently. Nothing of an exam but pixels is sent."""

    url: str
    timeout_seconds: float = TIMEOUT_SECONDS
    """To connect, to send, and for the whole answer."""
    tries: int = TRIES
    first_pause_seconds: float = FIRST_PAUSE_SECONDS
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The address without user, password and query, which may be secret."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"

    @property
    def asked(self) -> str:
        """Digest of what is asked for beside the address: query and headers, which may choose among networks.

        Who asks decides no score: user, password and the header Authorization. Empty where there is nothing more.
        """
        more = [f"{key.lower()}: {value}" for key, value in self.headers.items() if key.lower() != "authorization"]
        query = urlsplit(self.url).query
        return hashlib.sha256("\n".join([query, *sorted(more)]).encode()).hexdigest()[:32] if query or more else ""

    def ask(self, method: str, body: bytes | None = None, kind: str = "") -> dict[str, Any]:
        """The JSON object of a response. Failing connections and 5xx are tried again, all else is final."""
        pause = self.first_pause_seconds
        for left in range(self.tries - 1, -1, -1):
            try:
                status, content = self._once(method, body, kind)
            except TooLarge as error:
                raise self._bad(
                    f"an answer may have at most {MOST_BYTES} bytes, got more; look at what answers there"
                ) from error
            except (OSError, http.client.HTTPException) as error:
                said = f"{type(error).__name__}: {error}"
                if not left:
                    raise self._bad(
                        f"it must answer, {self.tries} tries ended with {said}; look whether it runs"
                    ) from error
            else:
                if status < 500:
                    return self._object(status, content)
                if not left:
                    raise self._bad(
                        f"it must answer with 200, {self.tries} tries ended with {status}, {_start(content)}"
                    )
            time.sleep(pause)
            pause *= 2
        raise AssertionError

    def _once(self, method: str, body: bytes | None, kind: str) -> tuple[int, bytes]:
        # No proxy and no redirect: pixels go to the named address and nowhere else.
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self.timeout_seconds, context=context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout_seconds)
        headers = {"Accept": "application/json", **_who(parts), **self.headers}
        if kind:
            headers["Content-Type"] = kind
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.response_class = LimitedAnswer
        try:
            connection.request(method, path, body=body, headers=headers)
            with connection.getresponse() as response:
                return response.status, response.read()
        finally:
            connection.close()

    def _object(self, status: int, content: bytes) -> dict[str, Any]:
        if status != 200:
            raise self._bad(f"it must answer with 200, got {status}, {_start(content)}")
        try:
            found = json.loads(content)
        except (ValueError, RecursionError) as error:  # damaged; lists in lists without end
            raise self._bad(f"it must answer with JSON, got {_start(content)}") from error
        if not isinstance(found, dict):
            raise self._bad(f"it must answer with a JSON object, got {type(found).__name__}")
        return found

    def _bad(self, what: str) -> UnusableInput:
        return UnusableInput(f"endpoint {self.name}: {what} (docs/http.md)")


@dataclass(frozen=True, slots=True, eq=False)
class HttpNetwork:
    """Scores asked of an endpoint: one request a batch."""

    endpoint: Endpoint
    version: str

    def place_on(self, device: torch.device, precision: str) -> None:
        """The endpoint has a device of its own."""
        full_precision_only(self.endpoint.name, precision)

    def __call__(self, batch: Any) -> Any:
        file = io.BytesIO()
        if isinstance(batch, Mapping):
            # Before numpy 2.2 `allow_pickle` would be one more array; numbers are never pickled.
            arrays: dict[str, Any] = {name: as_array(images) for name, images in batch.items()}
            np.savez(file, **arrays)
        else:
            np.save(file, as_array(batch), allow_pickle=False)
        answer = self.endpoint.ask("POST", file.getvalue(), NPZ if isinstance(batch, Mapping) else NPY)
        version = _version(answer, self.endpoint) or self.version
        if version and not self.version:
            raise UnusableInput(
                f"endpoint {self.endpoint.name}: its version must stand in the answer to GET too, got {version!r} with "
                "scores only (docs/http.md)"
            )
        if version != self.version:
            raise UnusableInput(
                f"endpoint {self.endpoint.name}: its version must stay the same during a run, got {version!r} after "
                f"{self.version!r}; run again"
            )
        if "scores" not in answer:
            raise UnusableInput(
                f"endpoint {self.endpoint.name}: its answer must hold scores, got {', '.join(answer) or 'nothing'} "
                "(docs/http.md)"
            )
        scores = answer["scores"]
        if isinstance(scores, Mapping):
            return {side: self._numbers(each) for side, each in scores.items()}
        return self._numbers(scores)

    def _numbers(self, given: Any) -> Any:
        if isinstance(given, list) and all(type(each) in (int, float) for each in given):  # true is no score
            with suppress(OverflowError):  # a whole number beyond any float
                return np.array(given, dtype=np.float64)
        raise UnusableInput(
            f"endpoint {self.endpoint.name}: scores must be a list of numbers, one a view, got {reprlib.repr(given)} "
            "(docs/http.md)"
        )


def http_classifier(
    url: str,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    tries: int = TRIES,
    first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    headers: Mapping[str, str] | None = None,
) -> Classifier:
    """The classifier behind an endpoint, which declares itself when asked with GET.

    Its scores are kept only where it states a version. Raises UnusableInput where it does not answer by the contract.
    """
    check_address(url)
    check_patience(timeout_seconds, tries, first_pause_seconds)
    check_headers(headers or {})
    endpoint = Endpoint(
        url=url,
        timeout_seconds=timeout_seconds,
        tries=tries,
        first_pause_seconds=first_pause_seconds,
        headers=headers or {},
    )
    answer = endpoint.ask("GET")
    declared = checked(answer.get("declaration"), f"endpoint {endpoint.name}")
    version = _version(answer, endpoint)
    network = HttpNetwork(endpoint, version)
    fingerprint = f"endpoint {endpoint.name} {version} {endpoint.asked}".rstrip() if version else ""
    return made(network, declared, name=endpoint.name, fingerprint=fingerprint)


def _version(answer: Mapping[str, Any], endpoint: Endpoint) -> str:
    """What an answer states as its version; empty where it states none."""
    version = answer.get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, (str, int, float))):
        raise UnusableInput(
            f"endpoint {endpoint.name}: its version must be a text, got {reprlib.repr(version)} (docs/http.md)"
        )
    return "" if version is None else str(version)


def _who(parts: SplitResult) -> dict[str, str]:
    """The header that user and password of an address are sent in."""
    if parts.username is None:
        return {}
    said = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(said.encode()).decode()}"}


def _start(content: bytes) -> str:
    """The beginning of an answer, on one line."""
    text = " ".join(content[:200].decode("utf-8", "replace").split())
    return repr(text) if text else "an empty answer"

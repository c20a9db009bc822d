"""Writes one network as TorchScript, `.pt2` and `.onnx`, and serves it over HTTP, for the self-tests."""

from __future__ import annotations

import io
import json
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mammo_fixtures.classifiers.reference_network import MASS_GRID, ReferenceNetwork

DECLARED = {"score": "logit", "intensity": [0, 1], "pixel_spacing_mm": 0.1, "chest_wall": "left"}
"""As the reference classifier is declared."""
ANY = torch.export.Dim.AUTO
EXAMPLE = (2, 1, 320, 256)


class ForOnnx(ReferenceNetwork):
    """The same sums of exponentials in operators that the exporter knows, row by row.

    onnxruntime adds up a ReduceLogSumExp one by one in float32: over the 12,000 cells of a map that is off by 6e-5.
    """

    def evidence(self, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        detail, mass = self.detail(views), self.mass(torch.nn.functional.avg_pool2d(views, MASS_GRID))
        return torch.logsumexp(torch.logsumexp(detail, 3), (1, 2)), torch.logsumexp(torch.logsumexp(mass, 3), (1, 2))

    def join(self, detail: torch.Tensor, mass: torch.Tensor) -> torch.Tensor:
        detail_slope, detail_offset, mass_slope, mass_offset = self.joint
        return torch.logsumexp(
            torch.stack([detail_slope * detail + detail_offset, mass_slope * mass + mass_offset]), dim=0
        )


def toml(declared: Mapping[str, Any]) -> str:
    """A declaration as a file has it."""
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in declared.items())


@contextmanager
def quiet() -> Iterator[None]:
    """Exporters warn of their own future, and of the sizes that a trace depends on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def write_torchscript(network: torch.nn.Module, path: Path, example: Any = None, inside: str = "") -> Path:
    with quiet():
        traced = torch.jit.trace(network.eval(), torch.rand(EXAMPLE) if example is None else example)
        traced.save(str(path), _extra_files={"mammo.toml": inside} if inside else {})
    return path


def write_exported(
    network: torch.nn.Module, path: Path, example: Any = None, inside: str = "", shapes: Any = None
) -> Path:
    if shapes is None:
        shapes = ({0: ANY, 2: ANY, 3: ANY},)
    with quiet():
        given = torch.rand(EXAMPLE) if example is None else example
        program = torch.export.export(network.eval(), (given,), dynamic_shapes=shapes)
        torch.export.save(program, path, extra_files={"mammo.toml": inside} if inside else {})
    return path


def write_onnx(network: torch.nn.Module, path: Path, inside: str = "", **how: Any) -> Path:
    onnx = pytest.importorskip("onnx", reason="writing an .onnx file needs onnx")
    pytest.importorskip("onnxruntime", reason="reading an .onnx file needs onnxruntime")
    arguments = {
        "input_names": ["views"],
        "output_names": ["score"],
        "dynamic_axes": {"views": {0: "batch", 2: "rows", 3: "columns"}, "score": {0: "batch"}},
        "args": (torch.rand(EXAMPLE),),
    } | how
    with quiet():
        torch.onnx.export(network.eval(), f=str(path), dynamo=False, opset_version=18, **arguments)
    if inside:
        model = onnx.load(str(path))
        model.metadata_props.add(key="mammo", value=inside)
        onnx.save(model, str(path))
    return path


@contextmanager
def served(answer: Callable[[str, bytes, Mapping[str, str]], tuple[int, Any]]) -> Iterator[str]:
    """The address of a real server on this machine; `answer` gives status and JSON or bytes for a request."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = answer(self.command, body, dict(self.headers))
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _do  # noqa: N815

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/score"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def scoring(network: Callable[[Any], Any], declared: Mapping[str, Any], version: str = "1") -> Callable[..., Any]:
    """An endpoint's answers by the contract."""

    def answer(method: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"declaration": dict(declared), "version": version}
        given = np.load(io.BytesIO(body), allow_pickle=False)
        with torch.inference_mode():
            if headers["Content-Type"] == "application/x-npz":
                scores = network({name: torch.from_numpy(given[name]) for name in given.files})
                return 200, {"scores": {side: each.tolist() for side, each in scores.items()}, "version": version}
            return 200, {"scores": network(torch.from_numpy(given)).tolist(), "version": version}

    return answer

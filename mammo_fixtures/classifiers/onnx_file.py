"""`.onnx` files, run by onnxruntime (`pip install 'mammo-robustness[onnx]'`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.classifiers.arrays import as_array
from mammo_fixtures.classifiers.batches import StoredShape, in_batches
from mammo_fixtures.classifiers.placement import full_precision_only
from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    import torch

METADATA_KEY = "mammo"
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(int32)": np.int32,
}
_EXTERNAL = re.compile(rb"\x0a\x08location\x12(.)(.{1,127})", re.DOTALL)
"""Where a tensor names the file with its numbers: an entry of two short texts in the protocol buffer."""


@dataclass(slots=True, eq=False)
class OnnxNetwork:
    """An ONNX graph with one input at view level; at exam level, inputs named like views and outputs `L` and `R`."""

    path: Path
    inputs: Mapping[str, np.dtype[Any]]
    outputs: tuple[str, ...]
    shape: StoredShape
    _device: Any = None
    _session: Any = field(default=None)

    def place_on(self, device: torch.device, precision: str) -> None:
        """Choose the provider. The session is made at the first call, when the threads are divided."""
        full_precision_only(self.path.name, precision)
        runtime = _onnxruntime(self.path)
        if device.type == "cuda" and "CUDAExecutionProvider" not in runtime.get_available_providers():
            raise UnusableInput(
                f"classifier {self.path.name}: this onnxruntime has no CUDA, got the device {device}; pip install "
                "onnxruntime-gpu, or choose --mammo-device=cpu"
            )
        self._device, self._session = device, None

    def __call__(self, batch: Any) -> Any:
        return in_batches(self._run, batch, self.shape)

    def _run(self, batch: Any) -> Any:
        if self._session is None:
            self._session = _session(self.path, self._device)
        given = batch if isinstance(batch, Mapping) else {"": batch}
        feeds = {}
        for view, images in given.items():
            name = _named(view, self.inputs) if view else next(iter(self.inputs))
            feeds[name] = as_array(images).astype(self.inputs[name], copy=False)
        scores = dict(zip(self.outputs, self._session.run(list(self.outputs), feeds), strict=True))
        return scores if isinstance(batch, Mapping) else scores[self.outputs[0]]


def read_onnx(path: Path) -> tuple[OnnxNetwork, str]:
    """The network in an `.onnx` file, and the declaration in its metadata, empty where there is none."""
    session = _session(path, None)
    inputs = {}
    for each in session.get_inputs():
        if each.type not in _TYPES:
            raise UnusableInput(
                f"classifier {path.name}: input {each.name!r} must take numbers, got {each.type}; export it for float32"
            )
        inputs[each.name] = np.dtype(_TYPES[each.type])
    lengths = [length if isinstance(length, int) else None for length in session.get_inputs()[0].shape]
    if len(lengths) != 4:
        raise UnusableInput(
            f"classifier {path.name}: its input must be (batch, channels, rows, columns), got {len(lengths)} "
            "dimensions; export it so"
        )
    shape = StoredShape(batch=lengths[0], channels=lengths[1], rows=lengths[2], columns=lengths[3])
    outputs = tuple(each.name for each in session.get_outputs())
    metadata = session.get_modelmeta().custom_metadata_map
    return OnnxNetwork(path, inputs, outputs, shape), metadata.get(METADATA_KEY, "")


def check_names(network: OnnxNetwork, declared: Mapping[str, Any]) -> None:
    """Inputs and outputs must be those of the declared level, and integers go to integer inputs only."""
    name = network.path.name
    if declared.get("level", "view") == "exam":
        views = declared.get("views", ("L-CC", "R-CC", "L-MLO", "R-MLO"))
        for view in views:
            _named(view, network.inputs, name)
        if not {"L", "R"} & set(network.outputs):
            raise UnusableInput(
                f"classifier {name}: at exam level its outputs must be named L and R, got {', '.join(network.outputs)}"
            )
        network.outputs = tuple(side for side in ("L", "R") if side in network.outputs)
    elif len(network.inputs) != 1:
        raise UnusableInput(
            f"classifier {name}: at view level it must have one input, got {', '.join(network.inputs)}; "
            'declare level = "exam" where these are views'
        )
    if any(dtype.kind in "ui" for dtype in network.inputs.values()) and not declared.get("integers"):
        raise UnusableInput(
            f"classifier {name}: its input takes integers, which must be declared; add integers = true, and the "
            "intensity that they range over, such as [0, 4095]"
        )


def external_files(path: Path) -> list[Path]:
    """Files beside an `.onnx` file that hold its larger weights."""
    found = set()
    for match in _EXTERNAL.finditer(path.read_bytes()):
        text = match[2][: match[1][0]]
        try:
            file = path.parent / text.decode()
        except UnicodeDecodeError:
            continue
        if file.is_file():
            found.add(file)
    return sorted(found)


def _named(view: str, inputs: Mapping[str, Any], where: str = "") -> str:
    """The input for a view: `L-CC`, or as exporters write it, `L_CC` or `l_cc`."""
    for name in inputs:
        if name.replace("_", "-").upper() == view.upper():
            return name
    raise UnusableInput(
        f"classifier {where}: at exam level its inputs must be named like the views, got no {view} among "
        f"{', '.join(inputs)}; name them when exporting, or declare the views it takes"
    )


def _session(path: Path, device: Any) -> Any:
    runtime = _onnxruntime(path)
    import torch

    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    providers: list[Any] = ["CPUExecutionProvider"]
    if device is not None and device.type == "cuda":
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": device.index or 0}))
    try:
        return runtime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime has its own family of exceptions, of no common name
        raise UnusableInput(
            f"classifier {path.name}: an .onnx file must be readable by onnxruntime {runtime.__version__}, it says: "
            f"{error}; export it again"
        ) from error


def _onnxruntime(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise UnusableInput(
            f"classifier {path.name}: an .onnx file needs onnxruntime; pip install 'mammo-robustness[onnx]'"
        ) from error
    return onnxruntime

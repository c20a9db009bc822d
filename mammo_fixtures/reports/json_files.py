"""curves.json and verdicts.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_json(
    folder: Path,
    *,
    header: Mapping[str, Any],
    verdicts: Sequence[Mapping[str, Any]],
    curves: Sequence[Mapping[str, Any]],
) -> None:
    """Write both files, sorted so that the same scores give the same bytes whatever the order of the tests."""
    by_test = sorted(verdicts, key=lambda verdict: str(verdict["test"]))
    by_name = sorted(curves, key=lambda curve: (curve["perturbation"], curve["subgroup"], curve["metric"]))
    write_content(folder / "verdicts.json", {"header": dict(header), "verdicts": by_test})
    write_content(folder / "curves.json", {"header": dict(header), "curves": by_name})


def write_content(path: Path, content: Mapping[str, Any]) -> None:
    """Write one file, which appears whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    # NaN is no JSON; a value that is not there is null.
    partial.write_text(json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)

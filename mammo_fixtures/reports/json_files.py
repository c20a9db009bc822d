"""curves.json and verdicts.json, and the schemas that they keep to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from mammo_fixtures.whole_file import write_whole

SCHEMAS = ("curves.schema.json", "verdicts.schema.json")


def json_files(
    *,
    header: Mapping[str, Any],
    verdicts: Sequence[Mapping[str, Any]],
    curves: Sequence[Mapping[str, Any]],
) -> dict[str, bytes]:
    """Both files, sorted so that the same scores give the same bytes whatever the order of the tests."""
    by_test = sorted(verdicts, key=lambda verdict: str(verdict["test"]))
    by_name = sorted(
        curves, key=lambda c: (c["perturbation"], c["subgroup"], c["metric"], json.dumps(c, sort_keys=True))
    )
    return {
        "verdicts.json": _bytes({"header": dict(header), "verdicts": by_test}),
        "curves.json": _bytes({"header": dict(header), "curves": by_name}),
    }


def write_content(path: Path, content: Mapping[str, Any]) -> None:
    """Write one file, which appears whole or not at all."""
    write_whole(path, _bytes(content))


def schemas() -> dict[str, bytes]:
    """The JSON Schemas (draft 2020-12) by file name."""
    return {name: files("mammo_fixtures.reports").joinpath("schemas", name).read_bytes() for name in SCHEMAS}


def _bytes(content: Mapping[str, Any]) -> bytes:
    # NaN is no JSON; a value that is not there is null.
    return (json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()

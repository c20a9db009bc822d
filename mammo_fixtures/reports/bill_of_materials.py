"""The software bill of materials that goes with the evidence: CycloneDX 1.6 of what was installed."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import Distribution, distributions
from typing import Any

NAME = "bom.cdx.json"
OURS = "mammo-robustness"
_OF_THE_INSTALLER = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
"""Files of a distribution's metadata that tell how it came here, and not what it is."""


def bill_of_materials() -> bytes:
    """Every distribution of this Python with version, licence, and a digest of the files it put here.

    Required are those that the suite depends on, directly or not; the others are optional. No date, no serial number
    and no path: the same distributions give the same bytes.
    """
    found = {_normal(one.metadata["Name"]): one for one in distributions() if one.metadata["Name"]}
    required = _required(found)
    components = [_component(name, found[name], name in required) for name in sorted(found) if name != OURS]
    ours = _component(OURS, found[OURS], True) if OURS in found else {"type": "application", "name": OURS}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**ours, "type": "application"}},
        "components": components,
    }
    return (json.dumps(bill, indent=1, ensure_ascii=False) + "\n").encode()


def _required(found: dict[str, Distribution]) -> set[str]:
    """Names of what the suite needs, and of what that needs; extras count where they are installed."""
    needed, left = set(), [OURS]
    while left:
        name = left.pop()
        if name in found and name not in needed:
            needed.add(name)
            left += [_normal(re.split(r"[^\w.-]", need, maxsplit=1)[0]) for need in found[name].requires or ()]
    return needed


def _component(name: str, one: Distribution, required: bool) -> dict[str, Any]:
    version = one.version
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"{name}@{version}",
        "name": one.metadata["Name"],
        "version": version,
        "scope": "required" if required else "optional",
        "purl": f"pkg:pypi/{name}@{version}",
    }
    licence = _licence(one)
    if licence:
        component["licenses"] = licence
    digest = _content_digest(one)
    if digest:
        component["properties"] = [{"name": f"{OURS}:content-sha256", "value": digest}]
    return component


def _licence(one: Distribution) -> list[dict[str, Any]]:
    """The SPDX expression where there is one, else the licence's name as the distribution words it."""
    fields = one.metadata
    if "License-Expression" in fields:
        return [{"expression": fields["License-Expression"]}]
    stated = [
        text.rpartition(" :: ")[2] for text in fields.get_all("Classifier") or () if text.startswith("License ::")
    ]
    if not stated and "License" in fields and fields["License"].strip():
        stated = [fields["License"].strip().splitlines()[0][:100]]  # some hold the whole text
    return [{"license": {"name": text}} for text in stated if text]


def _content_digest(one: Distribution) -> str:
    """SHA-256 over the list of installed files and their digests, as RECORD has them; empty where it has none."""
    lines = []
    for line in (one.read_text("RECORD") or "").splitlines():
        path, _, rest = line.rpartition(",sha256=")
        if path and not path.startswith("..") and path.rpartition("/")[2] not in _OF_THE_INSTALLER:
            lines.append(f"{path} {rest.partition(',')[0]}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() if lines else ""


def _normal(name: str) -> str:
    """The name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()

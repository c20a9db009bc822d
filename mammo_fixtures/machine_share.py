"""What a process may use of the machine: in a container fewer cores and less memory than it sees.

Of Linux's control groups, in both versions of their interface. Source: the kernel's documentation, cgroup-v2
(`cpu.max`, `memory.max`), sched-bwc (`cpu.cfs_quota_us`) and cgroup-v1/memory (`memory.limit_in_bytes`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_MEMBER_OF = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def usable_cores() -> int:
    """Cores that this process may use, at least 1, whatever torch uses of them.

    Counts the cores it is bound to, and a container's or job's CPU quota, rounded up: `docker --cpus=2` and a
    Kubernetes limit leave all of the machine's cores in sight, and of as many threads most would wait. Where there are
    no control groups, the machine's cores.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min([bound, *_quotas()])))


def free_bytes() -> int | None:
    """What programs here could still take without swapping or being ended for it; None where nobody tells."""
    told = _named_numbers(_text(_MEMINFO)).get("MemAvailable:")
    free = [] if told is None else [told * 1024]
    free += _rooms()
    return max(0, min(free)) if free else None


def _quotas() -> Iterator[float]:
    """Cores that each control group of this process leaves it."""
    for group, second in _groups("cpu"):
        names = ("cpu.max",) if second else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        fields = " ".join(_text(group / name) for name in names).split()
        if len(fields) == 2 and fields[0].isdecimal():  # "max" and -1 are none
            yield int(fields[0]) / int(fields[1])


def _rooms() -> Iterator[int]:
    """Bytes that each control group of this process leaves it; files kept in memory, which can go, are not counted."""
    for group, second in _groups("memory"):
        limit = _text(group / ("memory.max" if second else "memory.limit_in_bytes")).strip()
        used = _text(group / ("memory.current" if second else "memory.usage_in_bytes")).strip()
        if limit.isdecimal() and used.isdecimal():
            kept = _named_numbers(_text(group / "memory.stat"))
            yield int(limit) - int(used) + kept.get("inactive_file" if second else "total_inactive_file", 0)


def _groups(controller: str) -> Iterator[tuple[Path, bool]]:
    """Folders of the control groups that hold this process, inner ones first, and whether of the second version."""
    for line in _text(_MEMBER_OF).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = _GROUPS / controller if controllers else _GROUPS
        folder = top / path.strip("/")
        # A container can see its group's path from outside, and the files inside: the top is looked at in any case.
        for each in (folder, *folder.parents):
            yield each, not controllers
            if each == top:
                break


def _named_numbers(text: str) -> dict[str, int]:
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""

"""The temporary folder of a run, shared by its workers; one that a killed run left is removed by the next run.

Each process of a run holds a lock on a file in it, which the system lets go of when the process ends, however it ends:
unlike the number of a process, that is never another one's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # a system without such locks, where nothing is swept
    fcntl = None  # type: ignore[assignment]

PREFIX = "mammo-robustness-"
_HELD = "held"
"""The file that is locked; it gets its name once it is, so that one without it belongs to nobody that can be asked."""


def make_folder() -> Path:
    """A folder of this run alone."""
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def hold(folder: Path) -> int | None:
    """Keep a run's folder from being swept as long as this process lives; None where that cannot be.

    Give what comes back to `let_go`.
    """
    if fcntl is None:
        return None
    held, new = folder / _HELD, folder / f"{_HELD}.{os.getpid()}"
    file = -1
    try:
        file = os.open(held if held.exists() else new, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if new.exists():
            new.rename(held)
    except OSError:  # a file system without locks
        let_go(file)
        return None
    return file


def let_go(file: int | None) -> None:
    """What `hold` gave."""
    if file is not None and file >= 0:
        with suppress(OSError):
            os.close(file)


def sweep() -> None:
    """Remove the folders of this user's runs of which no process lives."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as there:
        for each in there:
            if each.name.startswith(PREFIX):
                with suppress(OSError):
                    _sweep(each)


def _sweep(folder: os.DirEntry[str]) -> None:
    ours = folder.is_dir(follow_symlinks=False) and folder.stat(follow_symlinks=False).st_uid == os.geteuid()
    if not ours:
        return
    file = os.open(Path(folder.path, _HELD), os.O_RDWR | os.O_NOFOLLOW)
    try:
        # Refused as long as a process of the run lives: a worker may outlive its controller.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder.path, ignore_errors=True)
    finally:
        os.close(file)

"""Folders that a run is to write into, tried before hours of scoring go by."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.run import Run
from mammo_fixtures.plugin.settings import short


def check_folders(config: pytest.Config, run: Run) -> None:
    """Raises UnusableInput for a folder of the options that cannot be; leaves nothing behind."""
    settings = run.settings
    if run.worker is not None or config.option.collectonly:
        return
    if settings.report is not None:
        _check("--mammo-report", settings.report, writing=True)
    if junit := getattr(config.option, "xmlpath", None):  # pytest would end in a traceback once all is judged
        _check("--junitxml", Path(os.path.expandvars(junit)).expanduser().parent, writing=True)
    if settings.snapshots is not None:
        _check("--mammo-snapshots", settings.snapshots, writing=bool(config.option.update_snapshots))


def _check(flag: str, folder: Path, *, writing: bool) -> None:
    rule = "must lie in a folder" if flag == "--junitxml" else "must be a folder"
    try:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        if not there.is_dir():
            raise UnusableInput(f"{flag} {rule}, got {folder}, where {there} is a file; give another")
        if not writing:
            return
        # Rights alone do not tell: of a full or read-only disk, of folders that systems make up.
        tempfile.TemporaryDirectory(prefix=".mammo-", dir=there).cleanup()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UnusableInput(
            f"{flag} needs a folder that can be {'written' if writing else 'read'}, got {short(folder)}: {why}; give "
            "another"
        ) from error

"""`--mammo-init`: a project's own tolerances and snapshots, where it can review them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.options import INIT, INIT_FOLDER
from mammo_fixtures.plugin.run import claims_folder

_SNAPSHOTS = """\
The curve snapshots of your classifier on your exams. `--snapshot-update` writes them here; commit them, and review a
change of them like a change of code. A snapshot says that a number moved, a tolerance says whether it may.
"""

_NEXT = """\
mammo: wrote {tolerances} and {snapshots}. Next:
1. name them in pyproject.toml, paths relative to it:
     [tool.pytest.ini_options]
     mammo_classifier = "my_package.release:load"
     mammo_exams = "site.csv"
     mammo_tolerances = "{relative}/tolerances.toml"
     mammo_snapshots = "{relative}/snapshots"
2. look through the margins and their reasons: they are a starting point, not your requirement
3. python -m robustness_tests --snapshot-update, and commit {folder}\
"""


def begin_project(config: pytest.Config) -> int:
    """Write the copies that `--mammo-init` asks for; the exit status."""
    folder = (config.invocation_params.dir / config.option.mammo_init).resolve()
    if not config.option.mammo_init:  # of a variable that is not set: the working folder was not meant
        raise pytest.UsageError(f"{INIT} must name a folder, got none; give one, or {INIT} alone for {INIT_FOLDER}")
    try:
        print(write_starting_copies(claims_folder(config), folder))
    except UnusableInput as error:
        raise pytest.UsageError(str(error)) from error
    return int(pytest.ExitCode.OK)


def write_starting_copies(claims: Path, folder: Path) -> str:
    """Copies of the shipped tolerances and an empty folder of snapshots; says what to do next.

    Nothing that exists is overwritten.
    """
    tolerances, snapshots = folder / "tolerances.toml", folder / "snapshots"
    try:
        for path in (tolerances, snapshots):
            if path.exists():
                raise UnusableInput(
                    f"--mammo-init overwrites nothing, {path} exists; give another folder: --mammo-init=DIR"
                )
        snapshots.mkdir(parents=True)
        (snapshots / "README.md").write_text(_SNAPSHOTS, encoding="utf-8")
        shutil.copyfile(claims / "tolerances.toml", tolerances)
    except OSError as error:
        raise UnusableInput(f"--mammo-init={folder}: cannot be written: {error}") from error
    here = Path.cwd()
    relative = folder.relative_to(here).as_posix() if folder.is_relative_to(here) else folder.as_posix()
    return _NEXT.format(tolerances=tolerances, snapshots=snapshots, folder=folder, relative=relative)


def refuse_update_of_installed(claims: Path, snapshots: Path | None) -> None:
    """Snapshots in an installed package belong to the package, not to a project; without a folder there are none."""
    if snapshots is None:
        raise UnusableInput(
            "--snapshot-update needs a folder for the curves of this classifier and cohort, got none; give one with "
            "--mammo-snapshots=DIR"
        )
    installed = not (claims.parent / "pyproject.toml").is_file()
    if installed and snapshots.is_relative_to(claims):
        raise UnusableInput(
            f"--snapshot-update writes no snapshot into an installed package, got {snapshots}; keep yours in your own "
            "repository: --mammo-snapshots=DIR (--mammo-init makes one)"
        )

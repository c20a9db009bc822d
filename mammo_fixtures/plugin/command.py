"""`python -m robustness_tests`: the gate from anywhere, by its own pytest configuration.

Run in a project, pytest would take that project's configuration: its addopts, its warning filters, its conftest.py.
Here the suite's own configuration holds; of the project only the `mammo_…` keys of pyproject.toml are read.
"""

from __future__ import annotations

import itertools
import os
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.options import KEYS, OPTIONS, SWITCHES, unknown_said
from mammo_fixtures.plugin.settings import located

_PLUGINS = ("mammo_fixtures.plugin.hooks", "mammo_fixtures.plugin.fixtures")
_TAKE_ONE = ("-k", "-m", "--ignore-glob", "--junitxml", "--junit-xml")
"""Options whose value, after a space, is no test that is asked for, though it may look like one."""
_FLAGS = {option.flag: option for option in OPTIONS}
_NAMING = {"--deselect": "TEST_ID", "--ignore": "FILE"}
"""Options of pytest that name tests, and what with."""
_OPTIONS = {option.key: option for option in OPTIONS}
_IN_AN_INI = "--override-ini="
"""Before a project's keys: as options they would count as typed, and be refused beside a table that is typed."""


def main(claims: Path, arguments: list[str]) -> int:
    """Run the gate whose claims lie in a folder; the exit status is pytest's."""
    try:
        given = pytest_arguments(claims, arguments, working_folder=Path.cwd())
    except UnusableInput as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return int(pytest.ExitCode.USAGE_ERROR)
    if os.environ.pop("PYTEST_ADDOPTS", ""):
        print("mammo: PYTEST_ADDOPTS is meant for other runs of pytest and is not used", file=sys.stderr)
    return int(pytest.main(given))


def pytest_arguments(claims: Path, arguments: list[str], *, working_folder: Path) -> list[str]:
    """What pytest is called with: own configuration, the project's `mammo_…` keys, then what was typed."""
    typed = _located(joined(arguments), claims, working_folder)
    chosen = any(
        _names_tests(argument, claims)
        for before, argument in itertools.pairwise(["", *typed])
        if before not in _TAKE_ONE
    )
    cached = "no:cacheprovider" not in typed and "-pno:cacheprovider" not in typed
    return [
        f"--config-file={claims / 'suite.ini'}",
        f"--rootdir={claims.parent}",
        f"--confcutdir={claims}",
        *(["-o", f"cache_dir={working_folder / '.mammo' / 'pytest_cache'}"] if cached else []),
        *(part for plugin in _PLUGINS for part in ("-p", plugin)),
        f"{_IN_AN_INI}mammo_store={working_folder / '.mammo' / 'scores.sqlite'}",
        *project_options(working_folder),
        *([] if chosen else [str(claims)]),  # before what was typed, which may end in an option with an optional value
        *typed,
    ]


def joined(arguments: list[str]) -> list[str]:
    """Every `--mammo-…` option, and those that name tests, in the form with `=`, however it was typed."""
    out: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument in _FLAGS or argument in _NAMING:
            value = next(rest, None)
            if value is None:
                metavar = _NAMING.get(argument) or _FLAGS[argument].metavar
                raise UnusableInput(f"{argument} needs a value; write {argument}={metavar}")
            argument = f"{argument}={value}"
        out.append(argument)
    return out


def project_options(folder: Path) -> list[str]:
    """The `mammo_…` keys of the nearest pyproject.toml for pytest's own ini file; paths are relative to that file."""
    file = next((f / "pyproject.toml" for f in (folder, *folder.parents) if (f / "pyproject.toml").is_file()), None)
    for beside in {folder, file.parent} if file else {folder}:
        _refuse_keys_elsewhere(beside)
    if file is None:
        return []
    try:
        tables: object = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{file} must be TOML: {error}") from error
    keys: dict[str, object] = {}
    for name in ("tool", "pytest", "ini_options"):
        tables = tables.get(name, {}) if isinstance(tables, dict) else tables
        if not isinstance(tables, dict):
            raise UnusableInput(f"{file}: {name} must be a table, got {tables!r}")
        keys |= tables if name != "tool" else {}
    options = [_option(file, key, value) for key, value in keys.items() if key.startswith("mammo_")]
    # A module that a key names lies with the file, like the paths of the others; pytest splits it as a shell does.
    modules = [f"{_IN_AN_INI}pythonpath={shlex.quote(str(file.parent))}"] if keys.get("mammo_classifier") else []
    return [*modules, *(option for option in options if option)]


def _refuse_keys_elsewhere(folder: Path) -> None:
    """pytest reads these files and this command does not: unsaid, it would gate the reference classifier instead."""
    for name in ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg"):
        file = folder / name
        if not file.is_file():
            continue
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        stated = [line.partition("=")[0].partition(":")[0].strip() for line in lines]
        if key := next((each for each in stated if each in KEYS), None):
            raise UnusableInput(
                f"{file}: {key} is not read here; python -m robustness_tests takes the mammo_ keys from "
                "[tool.pytest.ini_options] of pyproject.toml, so move them there"
            )


def _option(file: Path, key: str, value: object) -> str:
    if key in SWITCHES:
        if not isinstance(value, bool):
            raise UnusableInput(f"{file}: {key} must be true or false, got {value!r}")
        return f"{_IN_AN_INI}{key}=true" if value else ""
    option = _OPTIONS.get(key)
    if option is None:
        raise UnusableInput(f"{file}: {unknown_said(key)}")
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise UnusableInput(f"{file}: {key} must be a text or a number, got {value!r}")
    if value == "":  # as in an ini file: the default
        return ""
    return f"{_IN_AN_INI}{key}={located(option.name, str(value), file.parent)}"


def _located(arguments: list[str], claims: Path, working_folder: Path) -> list[str]:
    """Test ids in every form that is printed, found wherever the suite lies.

    `robustness_tests/test_holds.py::…` stands in reports and lists; pytest's summary shows the same id relative to the
    working folder. pytest compares what `--deselect` names with the first form alone.
    """
    out: list[str] = []
    for before, argument in itertools.pairwise(["", *arguments]):
        flag, _, value = argument.partition("=")
        if flag in _NAMING and (own := _own_test(value, claims, working_folder)):
            argument = f"{flag}={own if flag == '--deselect' else claims.parent / own}"
        elif not argument.startswith("-") and before not in _TAKE_ONE:
            own = _own_test(argument, claims, working_folder)
            argument = str(claims.parent / own) if own else argument
        out.append(argument)
    return out


def _own_test(argument: str, claims: Path, working_folder: Path) -> str:
    """The id below the suite's parent folder of what names a file of the claims, else nothing."""
    path, colons, rest = argument.partition("::")
    if path.startswith(f"{claims.name}/"):
        return argument
    absolute = Path(os.path.normpath(working_folder / path))
    if not absolute.is_relative_to(claims):
        return ""
    return f"{absolute.relative_to(claims.parent).as_posix()}{colons}{rest}"


def _names_tests(argument: str, claims: Path) -> bool:
    return not argument.startswith("-") and Path(argument.partition("::")[0]).is_relative_to(claims)

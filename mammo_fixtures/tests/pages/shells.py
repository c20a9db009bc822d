"""Shell commands of a page: run in the project, or, where they cannot be, checked word by word."""

from __future__ import annotations

import configparser
import importlib.util
import itertools
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from mammo_fixtures.tests.pages import exceptions
from mammo_fixtures.tests.pages.blocks import ROOT, words

_NUMBER = re.compile(r"-?\d[\d.,:]*")
_WIDTH = "120"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed on both streams."""

    status: int
    printed: str


def run(command: str, pytester: pytest.Pytester) -> Done | None:
    """Run one command of a page; None for one that is only checked.

    A plain `pytest` runs inside this process, which has imported torch already; anything else as its reader runs it.
    """
    steps = [words(step) for step in command.split(" && ")]
    programs = [_program(step) for step in steps]
    if any(programs):
        for step, program in zip(steps, programs, strict=True):
            check(step, program)
        return None
    parts = words(command)
    if command in exceptions.COLLECTED:
        parts = [*parts, "--co", "-q"]
    _make_room(parts, pytester.path)
    if parts and parts[0].endswith("pytest"):
        result = pytester.runpytest_inprocess(*parts[1:])
        return Done(int(result.ret), "\n".join([*result.outlines, *result.errlines]))
    if parts and parts[0].endswith(("python", "python3")):
        parts[0] = sys.executable
    line = parts or ["bash", "-euo", "pipefail", "-c", command]
    done = subprocess.run(
        line, cwd=pytester.path, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    return Done(done.returncode, done.stdout + done.stderr)


def environment() -> dict[str, str]:
    """That of a reader who has this checkout's suite installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    paths = {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"}
    return {**kept, **paths, "COLUMNS": _WIDTH}


def masked(line: str) -> str:
    """A printed line without its numbers, and with single spaces."""
    return " ".join(_NUMBER.sub("#", line).split())


def prints(done: Done, lines: list[str]) -> list[str]:
    """Those of the lines that a page shows which the command did not print, numbers apart; `…` stands for anything."""
    rest = iter([masked(line) for line in done.printed.splitlines()])
    missing = []
    for line in lines:
        pattern = re.compile(".*".join(re.escape(part) for part in masked(line).split("…")))
        if not any(pattern.fullmatch(each) for each in rest):
            missing.append(line)
            rest = iter([masked(each) for each in done.printed.splitlines()])
    return missing


def says(done: Done, text: str) -> bool:
    """Whether a command printed a passage, however its lines are broken, numbers apart."""
    pattern = ".*".join(re.escape(part) for part in masked(text).split("…"))
    return re.search(pattern, masked(done.printed)) is not None


def _program(parts: list[str]) -> str | None:
    """Which of the programs that are never started this is."""
    names = [Path(part).name for part in parts]
    return next((each for each in exceptions.PROGRAMS if names[: len(each.split())] == each.split()), None)


def _make_room(parts: list[str], folder: Path) -> None:
    """What a command writes anew was only lent by the project."""
    for before, word in itertools.pairwise(parts):
        if before == "-o":
            (folder / word).unlink(missing_ok=True)


def check(parts: list[str], program: str | None) -> None:
    """What can be known of a command that is not run: its extras, environments, modules and files."""
    text = " ".join(parts)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    if program == "pip":
        extras = re.findall(r"\[([\w,]+)\]", text)
        for extra in ",".join(extras).split(",") if extras else ():
            assert extra in project["optional-dependencies"], f"{text}: no extra {extra}"
        for name in re.findall(r"-[cr] (\S+)", text):
            assert (ROOT / name).is_file(), f"{text}: no file {name}"
        for name in re.findall(r"(mammo[\w-]*)", text):
            assert name in (project["name"], "mammo_robustness"), f"{text}: no distribution {name}"
    if program == "tox":
        tox = configparser.ConfigParser()
        tox.read(ROOT / "tox.ini")
        for name in re.findall(r"-e (\S+)", text):
            assert all(f"testenv:{each}" in tox for each in name.split(",")), f"{text}: no environment {name}"
    for name in re.findall(r"-m (mammo_fixtures[\w.]*|robustness_tests)", text):
        assert importlib.util.find_spec(name), f"{text}: no module {name}"

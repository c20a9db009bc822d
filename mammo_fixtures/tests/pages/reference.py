"""The tables of docs/reference.md, made from the code.

`python -m mammo_fixtures.tests.pages.reference` writes them; a self-test holds the page against them.
"""

from __future__ import annotations

import argparse
import importlib
import re
from typing import Any
from unittest import mock

from _pytest.config.argparsing import Parser

import mammo_fixtures
from mammo_fixtures.plugin.options import add_options
from mammo_fixtures.tests.pages.blocks import ROOT

PAGE = ROOT / "docs" / "reference.md"
COMMANDS = {
    "mammo_fixtures.exams": "mammo_fixtures.exams.__main__",
    "mammo_fixtures.exams.nyu": "mammo_fixtures.exams.nyu",
    "mammo_fixtures.exams.phantoms": "mammo_fixtures.exams.phantoms.__main__",
    "mammo_fixtures.scoring.nyu": "mammo_fixtures.scoring.nyu",
    "mammo_fixtures.scoring.store": "mammo_fixtures.scoring.store_command",
    "mammo_fixtures.reports.pictures": "mammo_fixtures.reports.pictures",
}
"""What is run with `python -m`, and the module that reads its arguments."""


def written(page: str) -> str:
    """The page with each table, between `<!-- name -->` and `<!-- /name -->`, as the code has it."""
    for name, table in {"options": options(), "commands": commands(), "names": names()}.items():
        inside = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        assert inside.search(page), f"no place for {name}"
        page = inside.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", page)
    return page


def options() -> str:
    """The suite's options of pytest, each with its ini twin."""
    parser = Parser(_ispytest=True)
    add_options(parser)
    lines = ["| option | ini key | meaning [default] |", "|---|---|---|"]
    for option in (each for group in parser._groups for each in group.options):
        (flag,), attributes = option.names(), option.attrs()
        value = attributes.get("metavar")
        shown = flag if value is None else f"{flag}[={value}]" if attributes.get("nargs") == "?" else f"{flag}={value}"
        key = flag.removeprefix("--").replace("-", "_")
        lines.append(_row(f"`{shown}`", f"`{key}`" if key in parser._inidict else "–", attributes["help"]))
    return "\n".join(lines)


def commands() -> str:
    """Arguments of the other commands."""
    lines = ["| command | argument | meaning |", "|---|---|---|"]
    for name, module in COMMANDS.items():
        for words, parser in _parsers(f"python -m {name}", _parser_of(module)):
            for action in parser._actions:
                if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)):
                    continue
                lines.append(_row(f"`{words}`", f"`{_shown(action)}`", (action.help or "") % vars(action)))
    return "\n".join(lines)


def names() -> str:
    """What `from mammo_fixtures import …` gives."""
    lines = ["| name | what it is |", "|---|---|"]
    for name in mammo_fixtures.__all__:
        does = (getattr(mammo_fixtures, name).__doc__ or "").strip().split("\n\n")[0]
        lines.append(_row(f"`{name}`", " ".join(does.split())))
    return "\n".join(lines)


def _parser_of(module: str) -> argparse.ArgumentParser:
    found: list[argparse.ArgumentParser] = []

    def kept(parser: argparse.ArgumentParser, *arguments: object) -> None:
        found.append(parser)
        raise SystemExit

    with mock.patch.object(argparse.ArgumentParser, "parse_args", kept):
        try:
            importlib.import_module(module).main([])
        except SystemExit:
            return found[0]
    raise AssertionError(f"{module}.main parses no arguments")


def _parsers(words: str, parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    inner = [(f"{words} {name}", each) for action in below for name, each in action.choices.items()]
    return inner or [(words, parser)]


def _shown(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(action.choices) if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(value)
    flag = action.option_strings[-1] if action.option_strings[0].startswith("--") else action.option_strings[0]
    joint = "=" if flag.startswith("--") else " "
    return flag if action.nargs == 0 else f"{flag}{joint}{value}"


def _row(*cells: Any) -> str:
    clean = (str(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(clean)} |"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""README and docs do what they say: every block is run, read or held against what is printed, page by page.

A page is read from top to bottom, in a folder as its reader has it (`pages/project.py`): shell commands are run and
must end with status 0, `console` blocks print what they show, Python is run, files are read by the code that reads such
files. `title="release.py"` after a block's language makes it that file. What cannot run here stands, with its reason,
in `pages/exceptions.py`.
"""

import re
import shutil
from importlib.util import find_spec

import matplotlib.pyplot  # noqa: F401
import pytest
import scipy.spatial
import scipy.stats  # noqa: F401
import torch  # noqa: F401 - these once here: a command that runs inside this process forgets what it imported
from _pytest.config.argparsing import Parser

from mammo_fixtures.plugin.options import OPTIONS, SWITCHES, add_options
from mammo_fixtures.tests.pages import exceptions, reference
from mammo_fixtures.tests.pages.architecture_picture import check_picture
from mammo_fixtures.tests.pages.blocks import ROOT, blocks, commands, pages, quoted_output, shown
from mammo_fixtures.tests.pages.project import make_project
from mammo_fixtures.tests.pages.readings import READERS
from mammo_fixtures.tests.pages.shells import prints, run, says

PAGES = pages()
WITH_BLOCKS = [page for page in PAGES if blocks(page)]
LANGUAGES = {*READERS, "sh", "console", "text", "mermaid"}
VALUED = {option.flag for option in OPTIONS}
KEYS = {option.name for option in OPTIONS} | {key.removeprefix("mammo_") for key in SWITCHES}


def flags():
    """Every option of the suite, as pytest knows it."""
    parser = Parser(_ispytest=True)
    add_options(parser)
    return {name for group in parser._groups for option in group.options for name in option.names()}


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(template, pytester):
    shutil.copytree(template, pytester.path, dirs_exist_ok=True)
    pytester.syspathinsert()
    return pytester


def all_commands():
    """Every command of every page, with its block."""
    for page in PAGES:
        for block in blocks(page):
            if block.language == "sh":
                yield from ((block, command) for command in commands(block.text))
            if block.language == "console":
                yield from ((block, command) for command, _ in quoted_output(block.text))


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=shown)
def test_every_block_of_the_page_works(page, project):
    names = {"__name__": "page"}
    last = None
    for block in blocks(page):
        if block.language in READERS:
            READERS[block.language](block, project.path, names)
        elif block.language == "sh":
            for command in commands(block.text):
                last = done_as_expected(block, command, project)
        elif block.language == "console":
            for command, lines in quoted_output(block.text):
                if f"{block.page}: $ {command}" in exceptions.SHOWN_ONLY:
                    continue
                last = done_as_expected(block, command, project)
                assert not (missing := prints(last, lines)), f"{block}: not printed: {missing}\n{last.printed}"
        elif block.language == "text":
            assert last is not None, f"{block}: text is what the command before it prints"
            assert says(last, block.text), f"{block}: not printed\n{last.printed}"
        elif block.language == "mermaid":
            check_picture(block)


def done_as_expected(block, command, project):
    """Run a command; its status is 0, or the one that the list of failing commands gives."""
    done = run(command, project)
    lacking = [extra for option, extra in exceptions.EXTRAS.items() if option in command and not find_spec(extra)]
    if done is not None and lacking:
        assert done.status == 4, f"{block}: {command}: status {done.status}\n{done.printed}"
        assert f"[{lacking[0]}]" in done.printed
    elif done is not None:
        expected = exceptions.FAILS.get(command, 0)
        assert done.status == expected, f"{block}: {command}: status {done.status}\n{done.printed}"
        for written in re.findall(r"--(?:mammo-report|junitxml)=(\S+)", command):
            if command not in exceptions.COLLECTED:
                assert (project.path / written).exists(), f"{block}: {command}: no {written}"
    return done


def test_every_block_says_its_language():
    for page in PAGES:
        for block in blocks(page):
            assert block.language in LANGUAGES, (
                f"{block}: {block.language or 'no'} language; known: {sorted(LANGUAGES)}"
            )


def test_no_exception_is_left_over():
    """A command that no page has any more is no exception either, and every one gives its reason."""
    there = {command for _, command in all_commands()}
    consoles = {f"{block.page}: $ {command}" for block, command in all_commands() if block.language == "console"}
    assert not set(exceptions.COLLECTED) - there
    assert not set(exceptions.FAILS) - there
    assert not set(exceptions.SHOWN_ONLY) - consoles
    started = " ; ".join(there)
    for program in exceptions.PROGRAMS:
        assert re.search(rf"\b{program}\b", started), f"no page starts {program}"
    assert all([*exceptions.COLLECTED.values(), *exceptions.PROGRAMS.values(), *exceptions.SHOWN_ONLY.values()])


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_option_exists_and_is_written_with_an_equals_sign(page):
    text = page.read_text(encoding="utf-8")
    for flag, sign in re.findall(r"(--mammo-[a-z-]+[a-z])(=?)", text):
        assert flag in flags(), f"{shown(page)}: {flag} is no option"
        assert sign or f"`{flag}`" in text or flag not in VALUED, f"{flag} needs ="
    for key in re.findall(r"\bmammo_([a-z_]+) =", text):
        assert key in KEYS, f"{shown(page)}: mammo_{key} is no key"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_everything_linked_exists(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{shown(page)}: {target} is not there"
        if anchor:
            assert anchor in anchors(file), f"{shown(page)}: {target}: no such heading"


def anchors(page):
    """What a hosting site calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_files_modules_and_names_in_the_text_exist(page):
    """`scoring/sweep.py`, `mammo_fixtures.exams.nyu`, `python -m …`, `tox -e …`: what is named is there."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for code in re.findall(r"`([^`\n]+)`", text):
        if path := re.fullmatch(
            r"(?:(?:mammo_fixtures|robustness_tests|fixtures|docs)/)?[\w-]+/[\w./-]*\.(?:py|toml|md)", code
        ):
            places = [ROOT, ROOT / "mammo_fixtures", page.parent]
            if path[0].split("/")[0] not in ("models", "mammo"):
                assert any((place / path[0]).exists() for place in places), f"{shown(page)}: no {code}"
        for module in re.findall(r"-m (mammo_fixtures[\w.]*)", code):
            assert module_exists(module), f"{shown(page)}: no module {module}"
        for name in re.findall(r"tox -e (\w+)", code):
            assert f"[testenv:{name}]" in (ROOT / "tox.ini").read_text(), f"{shown(page)}: no environment {name}"


def module_exists(name):
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()


def test_every_command_stands_in_the_reference():
    """What is run with `python -m` and parses arguments, but for the training of the reference classifier."""
    package = ROOT / "mammo_fixtures"
    said = [path for path in package.rglob("*.py") if "ArgumentParser(" in path.read_text(encoding="utf-8")]
    parsing = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in said if "tests" not in path.parts} - {
        "mammo_fixtures.classifiers.train_reference"
    }
    assert parsing == set(reference.COMMANDS.values())


def test_the_reference_is_made_from_the_code():
    page = reference.PAGE.read_text(encoding="utf-8")
    assert page == reference.written(page), "python -m mammo_fixtures.tests.pages.reference writes it anew"


def test_every_exit_status_is_told():
    rows = re.findall(r"^\| (\d) \|", reference.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    # --max-warnings, which newer versions of pytest have, is not the gate's.
    assert {int(row) for row in rows} == {status.value for status in pytest.ExitCode if "WARNINGS" not in status.name}


def test_the_index_leads_to_every_page():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"({page.name}" in index, f"docs/README.md does not lead to {page.name}"

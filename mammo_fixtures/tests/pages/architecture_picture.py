"""The picture of the architecture is held against the imports of the code."""

from __future__ import annotations

import re

from mammo_fixtures.tests.pages.blocks import ROOT, Block
from mammo_fixtures.tests.test_architecture import LEVELS, imported, sources


def check_picture(block: Block) -> None:
    """Every folder is in it, and no folder imports from one that an arrow leads to."""
    arrows = re.findall(r"^\s*(\w+)(?:\[[^]]*\])? --> (\w+)", block.text, re.MULTILINE)
    drawn = {name for arrow in arrows for name in arrow}
    package = ROOT / "mammo_fixtures"
    folders = {path.name for path in package.iterdir() if (path / "__init__.py").is_file()} - {"tests"}
    assert drawn == folders | {"robustness_tests"}, f"{block}: its boxes must be the folders"
    for earlier, later in arrows:
        assert later not in imports_of(earlier), f"{block}: {earlier} imports from {later}, against the arrow"
        assert LEVELS[earlier] < LEVELS.get(later, len(LEVELS)), f"{block}: {later} comes before {earlier}"


def imports_of(folder: str) -> set[str]:
    """Which folders of the library the files of a folder import from."""
    found: set[str] = set()
    for path in sources():
        if folder in path.relative_to(ROOT).parts[:2]:
            parts = [name.split(".") for name, _ in imported(path)]
            found |= {each[1] for each in parts if each[0] == "mammo_fixtures" and len(each) > 1}
    return found - {folder}

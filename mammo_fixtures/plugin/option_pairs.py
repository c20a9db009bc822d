"""Options that would have no effect beside others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin.options import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest


def check_pairs(config: pytest.Config, values: Mapping[str, str]) -> None:
    """Raises UnusableInput for what was typed and would not be looked at; in an ini file it may wait for its runs."""
    for name in ("classifier", "exams"):
        if values["scores"] and (given := config.getoption(f"mammo_{name}")) is not None:
            raise UnusableInput(
                f"--mammo-scores judges a table and runs no classifier on any exams, got --mammo-{name}={given} beside "
                f"--mammo-scores={values['scores']}; leave out one"
            )
    if config.getoption("mammo_plan") and values["scores"]:
        raise UnusableInput(
            f"--mammo-plan tells what a classifier has to score, got --mammo-scores={values['scores']}, where none "
            "runs; leave out one"
        )
    if values["report"] in ("", NONE) and (people := config.getoption("mammo_people")) is not None:
        raise UnusableInput(f"--mammo-people={people}: people are drawn into the report alone; add --mammo-report=DIR")

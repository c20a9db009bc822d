"""docs/trust.md and SECURITY.md: every promise names a test or a command that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
PROMISES = [
    line for line in PAGE.partition("## Limits")[0].splitlines() if line.startswith("| ") and "|---" not in line
]


def test_every_promise_names_a_test_or_command_that_exists():
    assert len(PROMISES) > 10
    for promise in PROMISES[1:]:
        what, how, figure = (cell.strip() for cell in promise.strip("|").split(" | "))
        named = re.findall(r"`([^`]+)`", how)
        assert named, what
        assert figure
        for name in named:
            if name.startswith("mammo_fixtures/"):
                assert (ROOT / name).is_file(), name
            elif module := re.match(r"python -m ([\w.]+)", name):
                path = ROOT / module.group(1).replace(".", "/")
                assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), name
            elif environment := re.match(r"tox -e (\w+)", name):
                assert f"[testenv:{environment.group(1)}]" in (ROOT / "tox.ini").read_text()
            else:
                assert name == "unshare -rn .venv/bin/pytest"


def test_limits_on_the_page_are_those_of_the_code():
    from mammo_fixtures.exams import limits
    from mammo_fixtures.exams.region import MOST_CORNERS

    text = PAGE.partition("## Limits on files")[2].partition("##")[0]
    for limit, said in (
        (limits.MOST_PIXELS, f"{limits.MOST_PIXELS / 1e6:.0f} million pixels"),
        (limits.MOST_BYTES, f"{limits.MOST_BYTES >> 20} MB"),
        (limits.MOST_READS, f"{limits.MOST_READS // 4:,} elements"),
        (limits.MOST_ROWS, f"{limits.MOST_ROWS / 1e6:.0f} million rows"),
        (limits.MOST_LINE_BYTES, f"lines of {limits.MOST_LINE_BYTES >> 20} MB"),
        (limits.MOST_TABLE_BYTES, f"{limits.MOST_TABLE_BYTES >> 30} GB unpacked"),
        (limits.MOST_SETTINGS_BYTES, f"{limits.MOST_SETTINGS_BYTES >> 20} MB"),
        (MOST_CORNERS, f"{MOST_CORNERS:,} corners"),
    ):
        assert said in text, limit


def test_links_lead_somewhere():
    for page in (ROOT / "docs" / "trust.md", ROOT / "SECURITY.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), target

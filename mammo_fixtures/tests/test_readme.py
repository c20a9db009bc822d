"""README is held against the code: its table of perturbations, commands, options and snippets."""

import re
import tomllib
from pathlib import Path

import pytest

from mammo_fixtures import PERTURBATIONS, read_tolerances

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table():
    """The README's table, as the records have it."""
    lines = ["| name | parameter, unit | severities, mild to strong | set |", "|---|---|---|---|"]
    for p in PERTURBATIONS:
        severities = " ".join(f"{s:g}" for s in p.severities)
        lines.append(f"| `{p.name}` | {p.parameter.replace('_', ' ')}, {p.unit} | {severities} | {p.set} |")
    return "\n".join(lines)


def test_the_table_of_perturbations_is_the_catalogue():
    inside = re.search(r"<!-- perturbations -->\n(.*?)\n<!-- /perturbations -->", README, re.DOTALL)
    assert inside.group(1).strip() == table()


def test_opens_with_the_vocabulary_and_two_commands():
    first = README.split("\n## ")[0]
    words = "perturbation severity exams cohort classifier score metric subgroup curve verdict tolerance"
    for word in words.split():
        assert f"**{word}**" in first
    commands = [line for line in first.splitlines() if line.startswith("python3 -m venv")]
    assert [command.split()[-1] for command in commands] == [".venv/bin/pytest", "selftest"]


def test_ci_runs_the_command_that_readme_prints():
    pattern = re.search(r"sed -n '([^']+)'", (ROOT / ".ci" / "run").read_text()).group(1)
    assert pattern.startswith("s/^\\(python3 .*tox -e selftest\\)$")
    assert len([line for line in README.splitlines() if re.fullmatch(r"python3 .*tox -e selftest", line)]) == 1


def test_every_option_in_readme_exists_and_is_written_with_an_equals_sign():
    from mammo_fixtures.plugin.options import OPTIONS, STRICT

    known = {option.flag for option in OPTIONS} | {STRICT}
    for flag, sign in re.findall(r"(--mammo-[a-z-]+)(=?)", README):
        assert flag in known
        assert sign or flag == STRICT or f"`{flag}`" in README, f"{flag} needs ="


def test_the_tolerance_in_readme_is_read(tmp_path):
    block = re.search(r"```toml\n(.*?)```", README, re.DOTALL).group(1)
    assert tomllib.loads(block)["tolerance"]
    path = tmp_path / "tolerances.toml"
    path.write_text(
        block.replace("# confidence", "confidence")
        .replace("# inconclusive", "inconclusive")
        .replace("# not_run", "not_run")
    )
    (tolerance,) = read_tolerances(path)
    assert (tolerance.claim, tolerance.severities, tolerance.margin) == ("holds", (0.22, 0.5), 0.05)


def test_the_new_perturbation_in_readme_works():
    torch = pytest.importorskip("torch")
    from mammo_fixtures.perturbations import Perturbation

    block = next(b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "BRIGHTNESS = Perturbation" in b)
    made = {"Perturbation": Perturbation}
    exec(block, made)
    result = made["brightness"](torch.zeros(2, 2), offset=0.5, feathered_mask=torch.ones(2, 2))
    assert torch.equal(result, torch.full((2, 2), 0.5))
    assert made["BRIGHTNESS"].shares == ("feathered_mask",)


def test_linked_files_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target

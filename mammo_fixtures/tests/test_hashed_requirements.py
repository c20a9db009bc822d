"""requirements/hashed.txt and torch.txt pin what pyproject.toml asks for, as constraints.txt does, each with hashes."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(*path):
    return {normal(name): version for name, version in PINNED.findall(ROOT.joinpath(*path).read_text(encoding="utf-8"))}


HASHED = {name: pinned("requirements", f"{name}.txt") for name in ("hashed", "torch")}
EVERY = HASHED["hashed"] | HASHED["torch"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKED = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]


def test_every_distribution_that_an_extra_asks_for_is_there():
    assert {normal(Requirement(one).name) for one in ASKED} <= set(EVERY)
    assert "torch" in HASHED["torch"]
    assert not set(HASHED["hashed"]) & set(HASHED["torch"])


def test_versions_are_those_of_the_constraints():
    constraints = pinned("constraints.txt")
    differing = {
        name: (version, EVERY[name]) for name, version in constraints.items() if EVERY.get(name, version) != version
    }
    assert not differing, "run tox -e hashes"
    # Pinned, it would stand in the way of `tox -e peers`, which needs an older one.
    assert set(HASHED["hashed"]) - set(constraints) == {"setuptools"}


def test_ranges_begin_somewhere_and_what_was_tested_lies_in_them():
    constraints = pinned("constraints.txt")
    for asked in map(Requirement, ASKED):
        assert any(each.operator == ">=" for each in asked.specifier), f"{asked}: tox -e lowest would take its oldest"
        assert constraints[normal(asked.name)] in asked.specifier, asked


def test_every_one_has_hashes_and_nothing_names_a_host():
    for name in HASHED:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for entry in re.split(r"\n(?=\w)", text)[1:]:
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
        assert "://" not in text

"""requirements/hashed.txt and torch.txt pin what pyproject.toml asks for, as constraints.txt does, each with hashes."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(*path):
    return {normal(name): version for name, version in PINNED.findall(ROOT.joinpath(*path).read_text(encoding="utf-8"))}


HASHED = {name: pinned("requirements", f"{name}.txt") for name in ("hashed", "torch")}
EVERY = HASHED["hashed"] | HASHED["torch"]


def test_every_distribution_that_an_extra_asks_for_is_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {normal(re.match(r"[\w.-]+", one).group()) for one in asked}
    assert names <= set(EVERY)
    assert "torch" in HASHED["torch"]
    assert not set(HASHED["hashed"]) & set(HASHED["torch"])


def test_versions_are_those_of_the_constraints():
    constraints = pinned("constraints.txt")
    differing = {
        name: (version, EVERY[name]) for name, version in constraints.items() if EVERY.get(name, version) != version
    }
    assert not differing, "run tox -e hashes"
    beyond = set(HASHED["hashed"]) - set(constraints)
    assert len(beyond) < 6, "other platforms need a few more"


def test_every_one_has_hashes_and_nothing_names_a_host():
    for name in HASHED:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for entry in re.split(r"\n(?=\w)", text)[1:]:
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
        assert "://" not in text

"""The architecture, proven on the source: what may import what, what importing costs, and how files are kept."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mammo_fixtures
from mammo_fixtures import read_tolerances

ROOT = Path(__file__).parents[2]
PACKAGES = ("mammo_fixtures", "robustness_tests")
LEVELS = {
    "machine_share": 0,
    "errors": 0,
    "given": 0,
    "whole_file": 0,
    "exams": 1,
    "perturbations": 2,
    "classifiers": 2,
    "scoring": 3,
    "metrics": 4,
    "verdicts": 5,
    "reports": 6,
    "plugin": 7,
}
"""Lower parts know nothing of higher ones, and parts of one level nothing of one another."""
OF_PYTEST = ("pytest", "_pytest", "pluggy", "syrupy", "xdist", "pytest_benchmark")
MEANINGLESS = ("utils", "util", "helpers", "helper", "common", "core", "base", "misc")
LONGEST = 300
SKIPPED = re.compile(r"(^|/)(\.(?!ci/)[^/]+|build|dist|__pycache__|[^/]*\.egg-info)(/|$)")


def sources(*, tests=False):
    """Python files of the packages, tests folders only if asked."""
    found = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    found = [path for path in found if not SKIPPED.search(path.relative_to(ROOT).as_posix())]
    assert len(found) > 50
    return [path for path in found if tests or "tests" not in path.relative_to(ROOT).parts[1:-1]]


def shown(path):
    return path.relative_to(ROOT).as_posix()


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path):
    """Names of modules in all imports of a file, those inside functions too; with their line."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{shown(path)}:{node.lineno}: imports are absolute"
            if node.module == "mammo_fixtures":
                homes = (mammo_fixtures._HOME.get(alias.name, alias.name) for alias in node.names)
                yield from ((f"mammo_fixtures.{home}", node.lineno) for home in homes)
            else:
                yield node.module or package, node.lineno


def part_of(name):
    return name.split(".")[1] if name.startswith("mammo_fixtures.") else ""


def test_imports_flow_one_way():
    wrong = []
    for path in sources():
        own = part_of(module_name(path))
        if module_name(path) == "mammo_fixtures":
            continue  # resolves the public names on first use
        for name, line in imported(path):
            part = part_of(name)
            assert part in (*LEVELS, "", "__version__"), f"{shown(path)}:{line}: where does {part} stand?"
            if name.split(".")[0] == "robustness_tests" and own:
                wrong.append(f"{shown(path)}:{line} imports {name}")
            if part in LEVELS and own and part != own and LEVELS[part] >= LEVELS[own]:
                wrong.append(f"{shown(path)}:{line} imports {name}")
    assert not wrong


def test_every_part_has_its_level():
    parts = {path.relative_to(ROOT / "mammo_fixtures").parts[0] for path in sources() if PACKAGES[0] in path.parts}
    assert {part.removesuffix(".py") for part in parts} - {"__init__"} == set(LEVELS)


def test_only_the_plugin_imports_pytest_or_syrupy():
    wrong = [
        f"{shown(path)}:{line} imports {name}"
        for path in sources()
        if path.is_relative_to(ROOT / "mammo_fixtures") and part_of(module_name(path)) != "plugin"
        for name, line in imported(path)
        if name.split(".")[0] in OF_PYTEST
    ]
    assert not wrong


def run(code, *arguments):
    """Run code in a Python of its own; what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


BLOCK = "import sys\nfor name in {names!r}:\n    sys.modules[name] = None\n"


def test_everything_but_the_plugin_imports_without_pytest():
    modules = [module_name(path) for path in sources() if path.is_relative_to(ROOT / "mammo_fixtures")]
    modules = [name for name in modules if part_of(name) != "plugin"]
    code = "import importlib\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\nprint(len(sys.argv) - 1)"
    assert run(BLOCK.format(names=OF_PYTEST) + code, *modules) == f"{len(modules)}\n"


def test_packages_and_the_plugin_import_without_torch():
    """So that collecting tests and judging a score table cost no second of start-up."""
    packages = [module_name(path) for path in sources() if path.name == "__init__.py"]
    plugin = [module_name(path) for path in sources() if part_of(module_name(path)) == "plugin"]
    code = "import importlib\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\n"
    assert run(BLOCK.format(names=("torch",)) + code + "print('imported')", *packages, *plugin) == "imported\n"


JUDGED = """
import numpy as np
from pathlib import Path
from mammo_fixtures import PERTURBATIONS, Classifier, ScoreTable, View, curve, judge, read_tolerances

assert [record.label(record.severities[0]) for record in PERTURBATIONS]
table = ScoreTable.read(sys.argv[1])
tolerance = next(each for each in read_tolerances(sys.argv[2]) if each.perturbation == "lowpass")
result = curve(table, "lowpass", subgroup=tolerance.subgroup, metric="auc")
assert result.points
assert judge(result, tolerance)
assert Classifier(lambda batch: batch).level == "view"
assert View.from_array(np.zeros((3, 3), dtype="u1"), pixel_spacing_mm=(1, 1), side="L", position="CC").shape == (3, 3)
"""


def test_a_score_table_is_judged_without_torch_or_pytest(tmp_path):
    tolerances = ROOT / "robustness_tests" / "tolerances.toml"
    subgroup = next(each.subgroup for each in read_tolerances(tolerances) if each.perturbation == "lowpass")
    rows = ["exam_id,side,malignant,subgroup,perturbation,severity,reader,score"]
    for severity in (0.0, *mammo_fixtures.PERTURBATIONS["lowpass"].severities):
        name = "lowpass" if severity else "clean"
        rows += [
            f"{exam},L,{exam % 2},{subgroup},{name},{severity},a,{(exam * 7 % 40 + exam % 2) / 50}"
            for exam in range(40)
        ]
    (tmp_path / "scores.csv").write_text("\n".join(rows))
    run(BLOCK.format(names=("torch", *OF_PYTEST)) + JUDGED, str(tmp_path / "scores.csv"), str(tolerances))


@pytest.mark.parametrize("name", mammo_fixtures.__all__)
def test_public_names_resolve(name):
    assert getattr(mammo_fixtures, name) is not None
    assert name in dir(mammo_fixtures)


def test_public_names_are_those_of_the_contract():
    contract = "PERTURBATIONS View curve judge load_classifier perturb read_cohort read_tolerances score ScoreTable"
    assert set(contract.split()) <= set(mammo_fixtures.__all__)
    assert set(mammo_fixtures._HOME) == set(mammo_fixtures.__all__)
    with pytest.raises(AttributeError, match="module 'mammo_fixtures' has no attribute 'attack'"):
        _ = mammo_fixtures.attack


def test_no_module_is_called_by_what_it_is_not():
    names = {path.stem for path in sources(tests=True)} | {path.parent.name for path in sources(tests=True)}
    assert not names & set(MEANINGLESS)


def test_every_module_and_every_public_function_and_class_has_a_docstring():
    """But for claims, contract checks, pytest's hooks and `main`, whose names say all there is."""
    missing = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            missing.append(shown(path))
        for node in tree.body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith(("_", "pytest_", "test_")):
                continue
            if not ast.get_docstring(node) and path.name != "contract.py" and node.name != "main":
                missing.append(f"{shown(path)}:{node.lineno} {node.name}")
    assert not missing


def test_test_files_say_what_they_test():
    missing = [shown(path) for path in sources(tests=True) if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert not missing


def test_no_python_file_is_longer_than_can_be_read():
    lines = {shown(path): len(path.read_text("utf-8").splitlines()) for path in sources(tests=True)}
    assert not {name: count for name, count in lines.items() if count > LONGEST}


def test_test_files_have_names_of_their_own_and_are_no_packages():
    tests = [path for path in sources(tests=True) if "tests" in path.relative_to(ROOT).parts[1:-1]]
    names = [path.name for path in tests if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))
    assert not [shown(path) for path in tests if path.name == "__init__.py"]


def test_no_text_names_a_folder_of_one_machine():
    # Written apart, because this file is searched too.
    folders = "|".join(("work", "root", "tmp" + "/dev", "home"))
    machine = re.compile(rf"(?<![\w.])/({folders})/\w")
    wrong = []
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if SKIPPED.search(name) or not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{name}:{n} {line}" for n, line in enumerate(text.splitlines(), 1) if machine.search(line)]
    assert not wrong


def test_every_module_says_that_annotations_are_text():
    """Files that hold records name torch's types without importing torch."""
    missing = [
        shown(path)
        for path in sources()
        if any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in ast.parse(path.read_text("utf-8")).body)
        and path.is_relative_to(ROOT / "mammo_fixtures")
        and "from __future__ import annotations" not in path.read_text("utf-8")
    ]
    assert not missing


def test_modules_are_found_where_this_test_looks():
    """A checkout and nothing else: an installed copy of another version would be tested by mistake."""
    assert Path(importlib.import_module("mammo_fixtures").__file__ or "").parents[1] == ROOT

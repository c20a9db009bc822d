"""A release's scores are decided by code in other packages, and by settings of files, wherever it keeps them."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from mammo_fixtures import Classifier, load_classifier
from mammo_fixtures.classifiers import source_files
from mammo_fixtures.classifiers.fingerprint import fingerprint

PRINT = """
import sys
sys.path.insert(0, ".")
from mammo_fixtures import Classifier, load_classifier
from mammo_fixtures.classifiers import source_files
from mammo_fixtures.classifiers.fingerprint import fingerprint
for name in sys.argv[1:]:
    print(name.partition(":")[0], fingerprint(load_classifier(name)))
"""
NET = """
class Net(torch.nn.Module):
    def forward(self, x):
        return x.mean((1, 2, 3)) * {scale}


def load():
    return Net()
"""
READ = 'json.loads(pathlib.Path("settings.json").read_text())'
HEAD = "import json, os, pathlib, types\nimport torch\n"
DECIDE = {
    "a_number": f"{HEAD}SCALE = {READ}['scale']\n{NET.format(scale='SCALE')}",
    "a_mapping": f"{HEAD}SETTINGS = {READ}\n{NET.format(scale='''SETTINGS['scale']''')}",
    "filled": f"{HEAD}SETTINGS = {{}}\nSETTINGS.update({READ})\n{NET.format(scale='''SETTINGS['scale']''')}",
    "in_a_block": f"{HEAD}with open('settings.json') as f:\n    S = json.load(f)\n{NET.format(scale='''S['scale']''')}",
    "a_namespace": f"{HEAD}S = types.SimpleNamespace(**{READ})\n{NET.format(scale='S.scale')}",
    "another_module": f"import torch\nimport settings_here\n{NET.format(scale='settings_here.S.scale')}",
    "a_class": f"{HEAD}class Settings:\n    scale = {READ}['scale']\n\n{NET.format(scale='Settings.scale')}",
    "the_environment": f"{HEAD}FLIP = os.environ.get('FLIP')\n{NET.format(scale='(2 if FLIP else 1)')}",
    "a_second_network": f"{HEAD}N = torch.nn.Linear(1, 1)\nN.weight.data.fill_({READ}['scale'])\n"
    + NET.format(scale="N.weight[0, 0]"),
    "its_loader": f"{HEAD}S = None\n{NET.format(scale='S')}".replace(
        "def load():", f"def load():\n    global S\n    S = {READ}['scale']"
    ),
    "a_closure": f"{HEAD}\ndef load():\n    scale = {READ}['scale']\n\n    class Net(torch.nn.Module):\n"
    "        def forward(self, x):\n            return x.mean((1, 2, 3)) * scale\n\n    return Net()\n",
}
DECIDE_NOTHING = {
    "of_the_process": f"{HEAD}import time\nPID, BEGAN = os.getpid(), time.time()\n"
    + "ENVIRONMENT, COPY = os.environ, os.environ.copy()\n"
    + NET.format(scale="(1 if (PID, BEGAN, ENVIRONMENT, COPY) else 0)"),
    "a_place": f"{HEAD}HERE = pathlib.Path(__file__).parent\nFILE = os.path.abspath('w.pt')\n"
    + NET.format(scale="(1 if (HERE, FILE) else 0)"),
    "unused": f"{HEAD}UNUSED = {READ}\n{NET.format(scale='1')}",
    "counted": f"{HEAD}CALLS = len({READ})\n{NET.format(scale='1')}".replace(
        "def load():", "def load():\n    global CALLS\n    CALLS += len(os.environ)"
    ),
    "an_enumeration": f"{HEAD}import enum, functools\n\nclass M(enum.Enum):\n    A = functools.partial(int)\n\n"
    f"CHOSEN = M.A\n{NET.format(scale='(1 if CHOSEN else 0)')}",
}
"""Numbers of processes, places and addresses are other ones in every process."""


def fingerprints(folder: Path, scale: int, environment: dict[str, str]) -> dict[str, str]:
    folder.mkdir()
    for name, source in (DECIDE | DECIDE_NOTHING).items():
        (folder / f"release_{name}.py").write_text(source)
    (folder / "settings_here.py").write_text(
        f"{HEAD}class S:\n    def __init__(self):\n        self.scale = {READ}['scale']\n\nS = S()\n"
    )
    (folder / "settings.json").write_text(f'{{"scale": {scale}}}')
    names = [f"release_{name}:load" for name in (DECIDE | DECIDE_NOTHING)]
    ended = subprocess.run(
        [sys.executable, "-c", PRINT, *names], cwd=folder, capture_output=True, text=True, check=True,
        env={"PATH": "", "PYTHONPATH": str(Path(__file__).parents[3])} | environment,
    )  # fmt: skip
    return {name.removeprefix("release_"): found for name, found in map(str.split, ended.stdout.splitlines())}


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Fingerprints before and after the settings changed; in another folder and process, as those of a checkout."""
    folder = tmp_path_factory.mktemp("settings")
    return fingerprints(folder / "one", 1, {}), fingerprints(folder / "two", 2, {"FLIP": "1"})


@pytest.mark.parametrize("kept_in", DECIDE)
def test_settings_that_decide_scores_count_wherever_they_are_kept(two, kept_in):
    assert "" != two[0][kept_in] != two[1][kept_in] != ""


@pytest.mark.parametrize("what", DECIDE_NOTHING)
def test_what_decides_no_score_does_not_count(two, what):
    assert "" != two[0][what] == two[1][what]


OTHER_FILES = {
    "ops_beside/__init__.py": "",
    "ops_beside/scale.py": "def scaled(x):\n    return FACTOR * x\n\n\nFACTOR = 1\n",
    "lib/ops_elsewhere.py": "FACTOR = 1\n\n\ndef scaled(x):\n    return FACTOR * x\n",
}


@pytest.mark.parametrize("changed", ["ops_beside/scale.py", "lib/ops_elsewhere.py"])
@pytest.mark.parametrize(
    "imported", ["from {} import scaled", "import importlib; scaled = importlib.import_module('{}').scaled"]
)
def test_code_of_ones_own_in_other_packages_and_folders_counts(tmp_path, monkeypatch, changed, imported):
    """A release that imports the network's functions from a package beside its own is the usual layout."""
    for name, source in (OTHER_FILES | {"site-packages/installed.py": "FACTOR = 1\n"}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    for folder in (tmp_path, tmp_path / "lib", tmp_path / "site-packages"):
        monkeypatch.syspath_prepend(folder)
    other = changed.removeprefix("lib/").removesuffix(".py").replace("/", ".")
    (tmp_path / "rel_here").mkdir()
    (tmp_path / "rel_here/__init__.py").write_text("")
    (tmp_path / "rel_here/release.py").write_text(
        f"import installed\nimport torch\n{imported.format(other)}\n\n\nclass Net(torch.nn.Module):\n"
        "    def forward(self, x):\n        return scaled(x)\n"
    )
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("rel_here", "ops_beside", "ops_elsewhere", "installed"):
            monkeypatch.delitem(sys.modules, name)
    classifier = load_classifier("rel_here.release:Net")
    before = fingerprint(classifier)
    (tmp_path / changed).write_text((tmp_path / changed).read_text().replace("= 1", "= 2"))
    source_files._SEEN.clear()  # as in another process
    assert fingerprint(classifier) != before
    changed_once = fingerprint(classifier)
    (tmp_path / "site-packages/installed.py").write_text("FACTOR = 2\n")
    source_files._SEEN.clear()
    assert fingerprint(classifier) == changed_once, "what is installed is not followed"


def test_a_file_edited_in_a_notebooks_lifetime_is_not_the_code_that_runs_until_it_is_loaded_again(
    tmp_path, monkeypatch
):
    """Scores of the code before the edit were kept as those of the code after it."""
    path = tmp_path / "edited_release.py"
    path.write_text(f"import torch\n{NET.format(scale='1')}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.import_module("edited_release")
    classifier = Classifier(module.Net())
    path.write_text(f"import torch\n{NET.format(scale='2')}")
    before = fingerprint(classifier)
    assert fingerprint(Classifier(module.Net())) == before, "the code that runs is the same"
    after = importlib.reload(module)
    assert fingerprint(Classifier(after.Net())) != before
    monkeypatch.delitem(sys.modules, "edited_release")

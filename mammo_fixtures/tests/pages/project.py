"""The folder in which the commands of README and docs are run: a checkout whose cohort is small.

It has what a reader is taken to have: the suite, exams as `site.csv`, a classifier `release:load`, score tables, and a
folder of DICOM files. Its own configuration names small exams and tolerances, so that a bare `pytest` takes seconds.
"""

from __future__ import annotations

import csv
import gzip
import pickle
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from mammo_fixtures.exams.tests.dicom_writer import data_set, phantom, write
from mammo_fixtures.plugin.tests.gate_folder import CLASSIFIER, TOLERANCES, write_exams
from mammo_fixtures.tests.pages.blocks import ROOT

_SETTINGS = """\
[tool.pytest.ini_options]
testpaths = ["robustness_tests"]
addopts = ["--strict-markers", "--strict-config", "--import-mode=importlib", "--tb=short", "-p", "no:cacheprovider"]
mammo_classifier = "release:load"
mammo_exams = "exams/site.csv"
mammo_tolerances = "tolerances.toml"
"""
_NETWORK = '''
import torch

class DenseNet121(torch.nn.Module):
    """Stands in for the network of that name where its library is not installed."""

    def __init__(self, spatial_dims, in_channels, out_channels):
        super().__init__()
        assert spatial_dims == 2
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(in_channels, 4, 9, stride=8), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(), torch.nn.Linear(4, out_channels),
        )

    def forward(self, views):
        return self.layers(views)
'''
_FEW = 48
"""Views in `site.csv`: enough to be scored, too few to decide a claim; a bare `pytest` takes all that were made."""
_FALLS = {
    "soft_tissue_lesions": {0.17: 0, 0.22: 0, 0.33: 0.05, 0.5: 0.05, 0.67: 0.3, 1.0: 0.7, 2.0: 1.5, 4.0: 1.7, 8.0: 1.8},
    "microcalcifications": {0.17: 0, 0.22: 0, 0.33: 0.8, 0.5: 1.2, 0.67: 1.5, 1.0: 1.8, 2.0: 2.3, 4.0: 2.4, 8.0: 2.4},
}
"""How far malignant breasts' mean score falls under `lowpass`, in standard deviations, for want of detail."""


def write_scores(path: Path, *, malignant: int, others: int, scatter: float, readers: tuple[str, ...]) -> None:
    """A score table like a reader study's: so many malignant breasts in each of the two subgroups."""
    random = np.random.default_rng(7)
    rows = []
    for number in range(2 * malignant + others):
        kind = list(_FALLS)[number % 2] if number < 2 * malignant else "normal"
        own = random.standard_normal()
        for reader in readers:
            start = own + 0.3 * random.standard_normal()
            for severity in (0.0, *_FALLS["soft_tissue_lesions"]):
                there = 2.5 - _FALLS[kind].get(severity, 0) if kind in _FALLS else 0
                score = start + there + (scatter * random.standard_normal() if severity else 0)
                name = "lowpass" if severity else "clean"
                sick = int(kind in _FALLS)
                share = 1 / (1 + np.exp(1.5 - score))
                rows.append([number, "L", sick, kind, name, severity, reader, f"{share:.6f}"])
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["exam_id", "side", "malignant", "subgroup", "perturbation", "severity", "reader", "score"])
        writer.writerows(rows)


def write_archive(folder: Path, exams: int = 2) -> None:
    """DICOM files as an archive hands them over: a folder an exam, four views in each, one secondary capture."""
    count = 0
    for number in range(17, 17 + exams):
        home = folder / f"exam_{number:04}"
        home.mkdir(parents=True)
        for side in "LR":
            for view in ("CC", "MLO"):
                count += 1
                made = data_set(
                    np.rint(phantom(12, (64, 48)) * (1 - 0.03 * count)),
                    bits=12,
                    StudyInstanceUID=f"2.25.{number}",
                    SOPInstanceUID=f"2.25.{number}.{count}",
                    ImageLaterality=side,
                    ViewPosition=view,
                )
                write(made, home / f"{side.lower()}_{view.lower()}.dcm")


def write_unusable(folder: Path) -> None:
    """Manifests with one fault each."""
    columns = ["exam_id", "side", "view", "path", "malignant"]
    (folder / "images").mkdir()
    for view in ("CC", "MLO"):
        spacing = {} if view == "CC" else {"ImagerPixelSpacing": None}
        made = data_set(phantom(12), bits=12, ViewPosition=view, **spacing)
        write(made, folder / "images" / f"{view}.dcm")
    faults = {
        "no_spacing": [["17", "L", view, f"images/{view}.dcm", "0"] for view in ("CC", "MLO")],
        "two_labels": [["17", "L", view, f"images/{view}.dcm", label] for view, label in (("CC", "0"), ("MLO", "1"))],
        "no_files": [["17", "L", view, f"images/17_L_{view}.dcm", "0"] for view in ("CC", "MLO")],
    }
    faults["outside"] = [["17", "L", "CC", "/archive/2025/17.dcm", "0"]]
    for name, rows in faults.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([columns, *rows])


def write_nyu_list(folder: Path) -> None:
    """One exam in the format of the NYU classifiers, its cropped images, and predictions for it."""
    views = {f"{side}-{view}": [f"0_{side}_{view}"] for side in "LR" for view in ("CC", "MLO")}
    (folder / "data.pkl").write_bytes(pickle.dumps([{"horizontal_flip": "NO", **views}]))
    (folder / "cropped_images").mkdir()
    for (name,) in views.values():
        Image.fromarray(np.full((64, 48), 50_000, np.uint16)).save(folder / "cropped_images" / f"{name}.png")
    (folder / "predictions.csv").write_text("left_malignant,right_malignant\n0.25,0.5\n")


def make_project(folder: Path) -> Path:
    """Lay it out in an empty folder."""
    (folder / "pyproject.toml").write_text(_SETTINGS)
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (folder / "constraints.txt").write_text((ROOT / "constraints.txt").read_text())
    shutil.copytree(
        ROOT / "robustness_tests", folder / "robustness_tests", ignore=shutil.ignore_patterns("__*", "benchmarks")
    )
    (folder / "tolerances.toml").write_text(project_tolerances())
    (folder / "release.py").write_text(CLASSIFIER)
    site = write_exams(folder / "exams")
    with site.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "site.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "path": f"exams/{row['path']}"} for row in rows[:_FEW])
    write_scores(folder / "scores.csv.gz", malignant=80, others=300, scatter=0.2, readers=("release",))
    seeds = tuple(f"seed_{number}" for number in range(1, 6))
    write_scores(folder / "reader_study.csv.gz", malignant=30, others=300, scatter=0.6, readers=seeds)
    write_archive(folder / "archive" / "2025")
    (folder / "archive" / "labels.csv").write_text("folder,side,malignant\nexam_0017,L,1\nexam_0018,,0\n")
    write_unusable(folder)
    write_nyu_list(folder)
    nets = folder / "monai" / "networks"
    nets.mkdir(parents=True)
    (nets / "nets.py").write_text(_NETWORK)
    return folder


def project_tolerances() -> str:
    """Claims that its classifiers keep, under the names and severities that the pages select by."""
    text = TOLERANCES.replace("[0.5]", "[0.22, 0.5]").replace("margin = 0.2\n", "margin = 0.05\n", 1)
    return text.replace("margin = 0.03\n", "margin = 0.02\n")

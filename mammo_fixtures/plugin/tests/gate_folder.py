"""A small project in a folder: claims, tolerances, exams as PNG files, and a classifier that takes milliseconds."""

import csv
import io
import json
import textwrap
from functools import cache

import numpy as np
from PIL import Image

CONFTEST = 'pytest_plugins = ("mammo_fixtures.plugin.hooks", "mammo_fixtures.plugin.fixtures")\n'

CLASSIFIER = '''
import os
import torch
from mammo_fixtures import Classifier

class Detail(torch.nn.Module):
    """Soft tissue by brightness of a blurred view, calcifications by the brightest fine detail."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        with open("loads.txt", "a") as log:
            log.write(f"{os.getpid()}\\n")

    def forward(self, x):
        blurred = torch.nn.functional.avg_pool2d(x, 8)
        fine = x - torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        soft = blurred.amax((1, 2, 3)) - 0.5
        return 4 * self.weight[0] * soft + 6 * self.weight[1] * fine.amax((1, 2, 3))

def load():
    return Classifier(Detail(), name="detail", score="logit")

def scores_of_nothing():
    return Classifier(lambda batch: batch.mean((1, 2, 3)) * float("nan"), score="logit")

def scores_of_two():
    return Classifier(lambda batch: batch.mean((2, 3)).expand(-1, 2), score="logit")
'''

TOLERANCES = """
[[tolerance]]
claim = "holds"
perturbation = "lowpass"
severities = [0.5]
subgroup = "soft_tissue_lesions"
metric = "auc"
margin = 0.2
reason = "masses are large"

[[tolerance]]
claim = "responds"
perturbation = "lowpass"
severities = [8.0]
subgroup = "microcalcifications"
metric = "auc"
margin = 0.03
reason = "grains are small"

[[tolerance]]
claim = "holds"
perturbation = "contrast"
severities = [0.9]
subgroup = "all"
metric = "auc"
margin = 0.2
reason = "a little less contrast"
"""


def write_exams(folder, exams=150):
    """One small view a breast; a third of the exams has a bright disc on the left, a third bright specks."""
    folder.mkdir(exist_ok=True)
    for name, content in drawn_exams(exams).items():
        (folder / name).write_bytes(content)
    return folder / "site.csv"


@cache
def drawn_exams(exams):
    """The files by name, drawn once: two hundred tests lay them out."""
    files, table = {}, io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["exam_id", "side", "view", "path", "malignant", "subgroup", "pixel_spacing_mm"])
    for number in range(exams):
        for side in "LR":
            random = np.random.default_rng([number, ord(side)])
            pixels = 0.45 + 0.02 * random.standard_normal((64, 48))
            kind = ("soft_tissue_lesions", "microcalcifications", "normal")[number % 3] if side == "L" else "normal"
            # One in seven lesions is too faint to be told, so that no AUC is exactly 1.
            faint = 0.02 if number % 7 == 0 else 0.2
            if kind == "soft_tissue_lesions":
                pixels[20:44, 12:36] += faint
            if kind == "microcalcifications":
                pixels[random.integers(8, 56, 6), random.integers(8, 40, 6)] += 2 * faint
            pixels[:, 44:] = 0
            path, png = f"{number}_{side}.png", io.BytesIO()
            Image.fromarray(np.round(pixels.clip(0, 1) * 65535).astype(np.uint16)).save(png, "PNG")
            files[path] = png.getvalue()
            writer.writerow([str(number), side, "CC", path, int(kind != "normal"), kind, "0.5"])
    return files | {"site.csv": table.getvalue().encode()}


def make_gate(pytester, shipped_claims):
    """Lay the project out in the pytester folder; the claims are the shipped files themselves."""
    pytester.makeconftest(CONFTEST)
    pytester.makefile(".py", release=CLASSIFIER)
    pytester.makeini(
        textwrap.dedent("""
        [pytest]
        testpaths = robustness_tests
        addopts = --import-mode=importlib -p no:cacheprovider --tb=short
        mammo_classifier = release:load
        mammo_exams = exams/site.csv
        """)
    )
    claims = pytester.mkdir("robustness_tests")
    for path in shipped_claims.glob("*.py"):
        (claims / path.name).write_text(path.read_text())
    (claims / "tolerances.toml").write_text(TOLERANCES)
    write_exams(pytester.path / "exams")
    return claims


def run(gate, *arguments):
    """The gate in its folder, in a process of its own."""
    return gate.runpytest_subprocess(*arguments, timeout=300)


def verdicts(folder):
    """Of a report, by test."""
    return {v["test"]: v for v in json.loads((folder / "verdicts.json").read_text())["verdicts"]}

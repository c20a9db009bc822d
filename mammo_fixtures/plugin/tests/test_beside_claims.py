"""What a run tells beside its claims, as a user runs it: the Fourier map, resampling controls, what stayed in view."""

import csv
import json
import os

from mammo_fixtures.plugin.tests.gate_folder import TOLERANCES

GEOMETRY = """
[[tolerance]]
claim = "holds"
perturbation = "posterior_cut"
severities = [2.2]
subgroup = "all"
metric = "auc"
margin = 0.2
reason = "two millimetres"
"""

PROFILE = """
[[tolerance]]
claim = "holds"
perturbation = "fourier_map"
severities = [0.25, 0.5]
subgroup = "all"
metric = "auc"
margin = 0.1
reason = "a wave of 1 % hides no lesion"
"""


def run(gate, *args):
    return gate.runpytest_subprocess(*args, timeout=600)


def files(folder):
    return {path.name for path in folder.iterdir()}


def test_the_fourier_map_is_drawn_shared_between_workers_and_judged(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(TOLERANCES + PROFILE)
    arguments = ("-m", "extended or not extended", "-k", "fourier_map and holds", "--mammo-fourier-map=0.5,1")
    result = run(gate, *arguments, "--mammo-report=out", "-n", "2")
    assert result.ret == 0, result.stdout.str()
    out = gate.path / "out"
    assert {"fourier_map.json", "fourier_map.csv", "fourier_map.png"} <= files(out)
    content = json.loads((out / "fourier_map.json").read_text())
    assert content["frequencies_per_mm"] == [0.25, 0.5, 1.0], "those of the claims and those of the option"
    assert content["subgroups"] == ["all", "microcalcifications", "soft_tissue_lesions"]
    assert len(content["cells"]) == 3 * 3 * 4
    assert len(content["profile"]) == 3 * 3
    for cell in content["cells"]:
        assert cell["drop_low"] <= cell["drop"] <= cell["drop_high"]
        assert cell["mean_absolute_change"] > 0
        assert cell["views"] == 120
    # 0.5 mm pixels hold 1 cycle/mm along their axes and more obliquely.
    assert not any(cell["beyond_grid"] for cell in content["cells"])
    assert content["header"]["views"] == 300
    with (out / "fourier_map.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 36 + 9
    assert {row["orientation_degrees"] for row in rows} == {"0", "45", "90", "135", "mean"}
    assert (out / "fourier_map.png").read_bytes().startswith(b"\x89PNG")
    result.stdout.fnmatch_lines(
        [
            "*holds fourier_map-0.2500cpmm-all-auc*held*",
            "*claims: 2 held*",
            "*fourier_map_000, *_135: judges a seeded choice of 60 of 100 malignant breasts and 60 of 200 others*",
            "*Fourier map: the largest AUC drop is *",
        ]
    )
    # As docs/fourier-map.md has it: beside the contract alone, without any claim, and at frequencies scored already.
    alone = run(gate, "-k", "contract", "--mammo-fourier-map=0.25,0.5,1", "--mammo-report=alone")
    assert alone.ret == 0, alone.stdout.str()
    assert json.loads((gate.path / "alone" / "fourier_map.json").read_text())["cells"] == content["cells"]
    for path in (gate.path / "exams").glob("*.png"):
        stat = path.stat()
        # The store trusts its memory of the pixels; decoding one would fail.
        path.write_bytes(bytes(stat.st_size))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    again = run(gate, *arguments, "--mammo-report=again")
    assert again.ret == 0, again.stdout.str()
    warm = json.loads((gate.path / "again" / "fourier_map.json").read_text())
    assert warm["cells"] == content["cells"]
    # What does decode says which image, in one line.
    contract = run(gate, "-k", "contract and repeat or contract and same_view")
    contract.stdout.fnmatch_lines(["exam 0, L-CC: the image must be DICOM (with its preamble, PS3.10) or PNG*row 2)"])
    assert "Traceback" not in contract.stdout.str()
    assert "view_file.py" not in contract.stdout.str()


def test_a_geometric_curve_stands_beside_its_control_and_what_stayed_in_the_image(gate):
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(GEOMETRY)
    arguments = ("-m", "extended or not extended", "-k", "posterior_cut and all", "--mammo-snapshots=mine")
    result = run(gate, *arguments, "--snapshot-update", "--mammo-report=out")
    assert result.ret == 0, result.stdout.str()
    (drawn,) = json.loads((gate.path / "out" / "curves.json").read_text())["curves"]
    clean, *points = drawn["points"]
    assert "resampling_control" not in clean
    assert [point["severity"] for point in points] == [2, 5, 10, 15, 20]
    for point in points:
        kept = point["share_kept"]["breast"]
        # Half of the views lie the other way round, but all are 24 mm deep with 2 mm of background.
        assert abs(kept["median"] - (1 - point["severity"] / 22)) < 0.03
        assert kept["flagged"] == kept["views"] == 300
        # 0.5 mm pixels: the severities are whole pixels, so that nothing is interpolated.
        assert point["resampling_control"]["drop"] == 0
        assert point["resampling_control"]["own_drop"] is not None
        assert (point["resampling_control"]["positives"], point["resampling_control"]["negatives"]) == (40, 40)
    result.stdout.fnmatch_lines(
        [
            "*posterior_cut * mm: of the breast a median (least) of *stays in the image*",
            "*posterior_cut * mm: AUC drop *, of its resampling control alone *(40 malignant and 40 other breasts)*",
            "*posterior_cut 5 mm: under 95% of the breast stays in the image (300 of 300 views)*",
        ]
    )
    warm = run(gate, *arguments, "--mammo-report=again")
    assert json.loads((gate.path / "again" / "curves.json").read_text())["curves"] == [drawn]
    warm.stdout.fnmatch_lines(["*posterior_cut 5 mm: under 95% of the breast stays in the image (300 of 300 views)*"])


def test_what_the_option_cannot_mean_is_refused(gate):
    for value, message in (
        ("on", "must be off, default, or different frequencies in cycles/mm with commas, such as 0.5,1,2,4, got 'on'"),
        ("1,1", "such as 0.5,1,2,4, got '1,1'"),
        ("80", "fourier_map: frequency_per_mm must lie in 0.001 … 50 cycles/mm, got 80; the ladder is"),
    ):
        result = gate.runpytest_inprocess(f"--mammo-fourier-map={value}", "--mammo-report=out", "--co")
        assert result.ret == 4
        assert message in result.stderr.str()
    result = gate.runpytest_inprocess("--mammo-fourier-map=default", "--co")
    assert "--mammo-fourier-map=default: the map is written into the report; add --mammo-report=DIR" in (
        result.stderr.str()
    )

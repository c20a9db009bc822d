"""Published scores under a low-pass inside and outside the lesion give the curves that belong to them."""

import json
import os
from pathlib import Path

import pytest

from mammo_fixtures.plugin.tests.gate_folder import make_gate

PUBLISHED = Path(os.environ.get("MAMMO_SHARED", "")) / "nyu_reader_study" / "gmic_region_lowpass_scores.csv.gz"
SHIPPED = Path(__file__).resolve().parents[3] / "robustness_tests"
AUC = {
    ("lowpass_inside", "microcalcifications"): (0.956, 0.954, 0.955, 0.948, 0.903, 0.842, 0.781, 0.777, 0.811),
    ("lowpass_outside", "microcalcifications"): (0.956, 0.961, 0.966, 0.967, 0.962, 0.950, 0.925, 0.904, 0.867),
    ("lowpass_inside", "soft_tissue_lesions"): (0.872, 0.867, 0.867, 0.871, 0.870, 0.869, 0.856, 0.822, 0.794),
    ("lowpass_outside", "soft_tissue_lesions"): (0.872, 0.872, 0.871, 0.869, 0.859, 0.846, 0.820, 0.763, 0.708),
}
"""Over clean, 0.17, 0.22, 0.33, 0.5, 0.67, 1, 2 and 4 mm: mean over five training runs."""


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="MAMMO_SHARED does not name the folder with the published scores")
def test_the_shipped_claims_on_published_scores_draw_the_published_curves(pytester):
    claims = make_gate(pytester, SHIPPED)
    (claims / "tolerances.toml").write_text((SHIPPED / "tolerances.toml").read_text())
    result = pytester.runpytest_subprocess(
        "-m",
        "extended",
        "-k",
        "lowpass_inside or lowpass_outside",
        f"--mammo-scores={PUBLISHED}",
        "--mammo-report=out",
        timeout=120,
    )
    drawn = {
        (each["perturbation"], each["subgroup"]): tuple(round(point["value"], 3) for point in each["points"])
        for each in json.loads((pytester.path / "out" / "curves.json").read_text())["curves"]
    }
    assert {name: drawn[name] for name in AUC} == AUC
    result.stdout.fnmatch_lines(["claims: 3 held, 0 broken, 7 inconclusive, 0 not run"])

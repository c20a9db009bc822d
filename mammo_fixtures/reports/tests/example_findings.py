"""Findings made up for tests of reports: any number of claims and subgroups, each outcome among them."""

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from mammo_fixtures import PERTURBATIONS
from mammo_fixtures.reports.findings import Findings, Gallery, Picture, Row
from mammo_fixtures.verdicts import Tolerance
from mammo_fixtures.verdicts.claim import judged_claims

SUBGROUPS = ("all", "masses", "microcalcifications", "density=d")
OUTCOMES = ("held", "held", "broken", "inconclusive", "not_run")


def findings(*, perturbations=3, subgroups=SUBGROUPS, outcomes=OUTCOMES, **changed):
    """Some perturbations of the catalogue, a `holds` claim for each severity and subgroup."""
    records = [record for record in PERTURBATIONS if record.needs != "exam"][:perturbations]
    tolerances = [
        Tolerance(claim="holds", perturbation=record.name, subgroup=group, margin=0.05, reason=f"reason of {group}")
        for record in records
        for group in subgroups
    ]
    verdicts = [
        verdict(claim, outcomes[number % len(outcomes)])
        for number, claim in enumerate(judged_claims(tolerances, "holds"))
    ]
    known = {
        "header": {"version": "1.2", "classifier": "example", "cohort": "site.csv", "exams": 40, "views": 160},
        "verdicts": verdicts,
        "curves": [curve(record, group) for record in records for group in subgroups],
        "ends": {v["test"]: end("passed" if v["outcome"] == "held" else "failed") for v in verdicts},
        "selected": len(verdicts),
        "tolerances": tolerances,
        "tolerances_file": ("tolerances.toml", "[[tolerance]]\nclaim = 'holds'\n"),
    }  # fmt: skip
    return Findings(**(known | changed))


def end(outcome):
    """How a test ended."""
    return {"outcome": outcome, "message": ""}


def verdict(claim, outcome):
    """A verdict with that outcome; figures of one not run are not there."""
    judged = outcome != "not_run"
    drop = 0.01 * (1 + len(claim.subgroup) % 5)
    return {
        "test": f"test_holds[{claim.id}]", "claim": "holds", "perturbation": claim.perturbation,
        "severity": float(claim.severity), "unit": PERTURBATIONS[claim.perturbation].unit, "subgroup": claim.subgroup,
        "metric": "auc", "clean": 0.9, "perturbed": 0.9 - drop if judged else None, "drop": drop if judged else None,
        "low": drop - 0.02 if judged else None, "high": drop + 0.02 if judged else None, "margin": 0.05,
        "confidence": 0.95, "outcome": outcome, "positives": 40, "negatives": 160,
        "sentence": f"AUC of {claim.subgroup} {outcome} at {claim.id}.",
    }  # fmt: skip


def curve(record, subgroup):
    """Falls with severity, more in some subgroups than in others."""
    points = []
    for place, severity in enumerate((0.0, *record.severities)):
        drop = 0.01 * place * (1 + len(subgroup) % 5)
        points.append(
            {"severity": severity, "value": 0.9 - drop, "low": 0.86 - drop, "high": 0.93 - drop, "drop": drop,
             "drop_low": drop - 0.02, "drop_high": drop + 0.02, "positives": 40, "negatives": 160}
        )  # fmt: skip
    of_all = ("value", "low", "high", "drop", "drop_low", "drop_high")
    mean = {name: sum(point[name] for point in points[1:]) / len(points[1:]) for name in of_all}
    beyond = (point["severity"] for point in points[1:] if point["drop_low"] > 0.05)
    return {
        "perturbation": record.name, "unit": record.unit, "metric": "auc", "subgroup": subgroup, "points": points,
        "ladder_mean": mean | {"positives": 40, "negatives": 160},
        "first_broken": [{"margin": 0.05, "confidence": 0.95, "severity": next(beyond, None)}],
    }  # fmt: skip


def beside(of, kind, name, shift):
    """A curve drawn beside another."""
    points = [{"severity": p["severity"], "value": p["value"] - shift, "low": None, "high": None} for p in of["points"]]
    return {key: of[key] for key in ("perturbation", "unit", "metric", "subgroup")} | {
        "kind": kind, "name": name, "points": points,
    }  # fmt: skip


def gallery():
    """Two panels of small pictures."""
    out = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(out, "WEBP")
    picture = Picture(label="clean", data=out.getvalue(), width=8, height=8, description="exam 1, L-CC, clean")
    row = Row(title="lowpass: exam 1", of="lowpass", panels=((picture, picture), (picture, picture)))
    return Gallery(rows=(row,), missing=("mirror: not drawn",))


def hostile(text):
    """Findings with that text wherever a file could have put it."""
    plain = findings(perturbations=1, subgroups=("all", text), seen=gallery())
    moved = [
        {"exam_id": text, "side": "L", "malignant": True, "subgroup": text, "perturbation": "lowpass", "severity": 0.5,
         "clean": 0.5, "perturbed": 0.1, "clean_rank": 0.9, "perturbed_rank": 0.2}
    ]  # fmt: skip
    own = next(each for each in plain.curves if each["subgroup"] == text)
    row = Row(title=text, of="lowpass", panels=plain.seen.rows[0].panels, notes=(text,))
    return replace(
        plain,
        header=dict(plain.header) | {"classifier": text, "cohort": text, "baseline": text},
        verdicts=[v | {"sentence": text} if v["subgroup"] == text else v for v in plain.verdicts],
        beside=[beside(own, "people", text, 0.1)],
        ends=dict(plain.ends) | {f"test_contract[{text}]": {"outcome": "failed", "message": text}},
        tolerances=[replace(tolerance, reason=text) for tolerance in plain.tolerances],
        tolerances_file=(text, text),
        moved=moved,
        notes=[text],
        stopped=text,
        seen=Gallery(rows=(row,), missing=(text,)),
    )

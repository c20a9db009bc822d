"""What stands in README and docs and is not run by the tests: in this one place, each with its reason.

Nothing here goes unchecked: options, extras, environments and files of these commands must exist all the same.
"""

from __future__ import annotations

COLLECTED = {
    "pytest --mammo-exams=s3://site-a/2026/exams.csv": "there is no such bucket",
    "pytest --mammo-engine=ray": "a cluster takes half a minute to start; `tox -e ray` runs it",
    "pytest --mammo-engine=ray --mammo-ray-address=auto": "there is no cluster",
    "pytest --mammo-engine=ray --mammo-ray-address=10.0.0.5:6379": "there is no cluster",
    "pytest --mammo-classifier=http://localhost:8000/score": "no server listens there; the page's own server is tested",
}
"""Commands whose tests are collected and not run."""

PROGRAMS = {
    "pip": "fetches from a package index; `.ci/run` installs",
    "python3 -m venv": "makes an environment; `.ci/run` makes one",
    "tox": "makes environments; `.ci/run` does",
}
"""Programs that are never started; what is known of their arguments is checked."""

FAILS = {
    "pytest --mammo-classifier=release:load --mammo-exams=site.csv": 1,  # the network is not trained
    "pytest -k lowpass --mammo-classifier=release:load --mammo-exams=site.csv": 1,  # likewise
    "pytest --mammo-exams=site.csv": 1,  # two exams cannot decide a claim
    'pytest -k "holds and 0.50mm" --mammo-scores=reader_study.csv.gz': 1,  # an inconclusive claim is shown
    "pytest -q -k contract --mammo-exams=no_spacing.csv": 1,
    "pytest -q -k contract --mammo-exams=two_labels.csv": 1,
    "pytest -q -k contract --mammo-exams=no_files.csv": 1,
    "pytest -q -k contract --mammo-exams=outside.csv": 1,
}
"""Commands that end with another status than 0, as their pages say."""

SHOWN_ONLY = {
    "README.md: $ .venv/bin/pytest -k lowpass": "the phantoms take two minutes; its figures are held against the "
    "stored snapshots, its counts against what is collected",
}
"""Console blocks whose output is held by a test of its own."""

EXTRAS = {"--mammo-engine=ray": "ray"}
"""Options that are refused where their extra is not installed; the refusal must name it then."""

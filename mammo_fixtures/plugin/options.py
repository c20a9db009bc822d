"""Every `--mammo-…=` option with its ini twin, default and help.

Loaded by every run of pytest where the suite is installed, other projects' too: it imports next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mammo_fixtures.plugin.engine_choice import ENGINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One `--mammo-…=` option and its ini twin `mammo_…`."""

    name: str
    default: str
    help: str
    metavar: str
    choices: tuple[str, ...] = ()
    """The words that it may be; held against them with the ini keys, as argparse would tell it in several lines."""

    @property
    def flag(self) -> str:
        return f"--mammo-{self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        return f"mammo_{self.name}"


OPTIONS = (
    Option(
        name="classifier",
        default="reference",
        metavar="NAME",
        help="reference, package.module:callable, a .pt2, TorchScript or .onnx file, or http://…",
    ),
    Option(
        name="exams",
        default="phantoms",
        metavar="MANIFEST",
        help="manifest (.csv, .csv.gz, .parquet; a path or URL), or phantoms",
    ),
    Option(
        name="allow_outside",
        default="",
        metavar="DIR,…",
        help="folders or URLs, beside the manifest's own folder, that the paths in it may lead to",
    ),
    Option(
        name="id_key",
        default="",
        metavar="FILE",
        help="the site's secret for --mammo-hash-ids [the environment's MAMMO_ID_KEY]",
    ),
    Option(name="scores", default="", metavar="TABLE", help="a score table: judge these scores, run no classifier"),
    Option(
        name="baseline",
        default="",
        metavar="TABLE",
        help="a score table of the release to compare with, paired: adds test_not_worse",
    ),
    Option(name="tolerances", default="", metavar="TOML", help="the tolerances [the file beside the claims]"),
    Option(
        name="universal",
        default="",
        metavar="FILE",
        help="universal.safetensors of a report: fields to judge by, instead of fitting them to this classifier",
    ),
    Option(
        name="fourier_map",
        default="off",
        metavar="F,F,…",
        help="a Fourier sensitivity map in the report, over these frequencies in cycles/mm, or default",
    ),
    Option(name="device", default="auto", metavar="DEVICE", help="auto, cpu, cuda or cuda:1"),
    Option(name="precision", default="fp32", metavar="P", help="fp32, bf16 or fp16", choices=("fp32", "bf16", "fp16")),
    Option(
        name="engine",
        default="local",
        metavar="ENGINE",
        help="where exams are scored: local, this machine; ray, a Ray cluster (extra `ray`)",
        choices=ENGINES,
    ),
    Option(
        name="ray_address",
        default="",
        metavar="HOST:PORT",
        help="the Ray cluster, or auto for the one that this machine is part of [a Ray of this machine's own]",
    ),
    Option(name="batch_size", default="auto", metavar="N", help="images a call of the classifier, or auto"),
    Option(
        name="timeout",
        default="600",
        metavar="SECONDS",
        help="for one call of the classifier, 6 times that for the first of each shape, or none",
    ),
    Option(
        name="speed",
        default="allocator",
        metavar="LIST",
        help="of allocator, channels_last, folded, compiled, separated by commas, or none; all but allocator change "
        "the last bits of scores",
    ),
    Option(
        name="store", default=".mammo/scores.sqlite", metavar="FILE", help="the SQLite file that keeps scores, or none"
    ),
    Option(
        name="report",
        default="",
        metavar="DIR",
        help="a folder for report.html, report.md, curves.json, verdicts.json, scores.csv.gz and evidence.zip of them, "
        "or none",
    ),
    Option(name="pictures", default="auto", metavar="P", help="of the report: auto or none", choices=("auto", "none")),
    Option(
        name="people", default="", metavar="TABLE", help="human readers' scores, for curves beside the classifier's"
    ),
    Option(
        name="snapshots",
        default="",
        metavar="DIR",
        help="the folder of the curve snapshots, or none [beside the claims, for the reference classifier on the "
        "phantoms]",
    ),
    Option(name="seed", default="0", metavar="N", help="seed of every random field"),
)
STRICT = "--mammo-strict"
ALLOW_PICKLE = "--mammo-allow-pickle"
HASH_IDS = "--mammo-hash-ids"
POWER = "--mammo-power"
PLAN = "--mammo-plan"
INIT = "--mammo-init"
INIT_FOLDER = "mammo"
SWITCHES = {"mammo_allow_pickle": ALLOW_PICKLE, "mammo_hash_ids": HASH_IDS, "mammo_strict": STRICT}
"""Ini keys that are true or false."""
KEYS = tuple(sorted([*(option.key for option in OPTIONS), *SWITCHES]))
PATHS = (
    "id_key",
    "classifier",
    "exams",
    "scores",
    "baseline",
    "people",
    "tolerances",
    "store",
    "report",
    "snapshots",
    "universal",
)
"""Options whose value is a path, unless it is one of their words."""
PATH_LISTS = ("allow_outside",)
NONE = "none"
WORDS = {"exams": ("phantoms",), "store": (NONE,), "report": (NONE,), "snapshots": (NONE,)}


def unknown_said(key: str) -> str:
    """That no ini key is called so, and which one may be meant."""
    from mammo_fixtures.verdicts.spelling import nearest

    hint = nearest(key, KEYS, prefix="mammo_") or f"; known are {', '.join(KEYS)}"
    return f"unknown key {key}{hint}"


def add_options(parser: pytest.Parser) -> None:
    """Register every option and its ini twin."""
    group = parser.getgroup("mammo-robustness", "robustness of mammography classifiers (write options with =)")
    for option in OPTIONS:
        default = f" [{option.default}]" if option.default else ""
        group.addoption(
            option.flag,
            dest=option.key,
            default=None,
            metavar=option.metavar,
            help=option.help + default,
        )
    add_ini_keys(parser)
    group.addoption(
        POWER,
        dest="mammo_power",
        nargs="?",
        const="cohort",
        default=None,
        metavar="M:N[:AUC]",
        help="print the chance that an unchanged classifier is held, for the cohort or for M malignant and N other "
        "breasts (write it with = or last; with --co nothing runs)",
    )
    group.addoption(
        PLAN,
        dest="mammo_plan",
        action="store_true",
        help="print what the selected tests would compute and about how long it takes, after a short calibration; "
        "no test is run and no score kept",
    )
    group.addoption(
        INIT,
        dest="mammo_init",
        nargs="?",
        const=INIT_FOLDER,
        default=None,
        metavar="DIR",
        help=f"write starting copies of the tolerances and a folder for snapshots into DIR, and stop [{INIT_FOLDER}]",
    )
    group.addoption(
        ALLOW_PICKLE,
        dest="mammo_allow_pickle",
        action="store_true",
        help="read a classifier file that holds Python objects, which may run any code: only where you trust its maker",
    )
    group.addoption(
        HASH_IDS,
        dest="mammo_hash_ids",
        action="store_true",
        help="pseudonyms in place of the ids of exams and patients, in everything that is written or shown",
    )
    group.addoption(
        STRICT, dest="mammo_strict", action="store_true", help="count allow and warn in tolerances as failures"
    )


def add_ini_keys(parser: pytest.Parser) -> None:
    """Register the ini twins, which a project that uses the suite may have in its own configuration."""
    for option in OPTIONS:
        parser.addini(option.key, f"see {option.flag}", default="")
    for name, flag in SWITCHES.items():
        parser.addini(name, f"see {flag}", type="bool", default=False)

"""The settings of a run: command line first, then the ini file, then the default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mammo_fixtures.classifiers.loading import is_model_file
from mammo_fixtures.classifiers.speed import SPEEDS, check_speed
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.remote_file import is_url
from mammo_fixtures.plugin.engine_choice import ENGINES, check_engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One `--mammo-…=` option and its ini twin `mammo_…`."""

    name: str
    default: str
    help: str
    metavar: str
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        return f"--mammo-{self.name.replace('_', '-')}"


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
        name="speed",
        default="allocator",
        metavar="LIST",
        help=f"of {', '.join(SPEEDS)}, separated by commas, or none; all but allocator change the last bits of scores",
    ),
    Option(
        name="store", default=".mammo/scores.sqlite", metavar="FILE", help="the SQLite file that keeps scores, or none"
    ),
    Option(
        name="report",
        default="",
        metavar="DIR",
        help="a folder for report.html, report.md, curves.json, verdicts.json, scores.csv.gz and evidence.zip of them",
    ),
    Option(name="pictures", default="auto", metavar="P", help="of the report: auto or none", choices=("auto", "none")),
    Option(
        name="people", default="", metavar="TABLE", help="human readers' scores, for curves beside the classifier's"
    ),
    Option(
        name="snapshots",
        default="",
        metavar="DIR",
        help="the folder of the curve snapshots [beside the claims, for the reference classifier on the phantoms]",
    ),
    Option(name="seed", default="0", metavar="N", help="seed of every random field"),
)
STRICT = "--mammo-strict"
ALLOW_PICKLE = "--mammo-allow-pickle"
POWER = "--mammo-power"
INIT = "--mammo-init"
INIT_FOLDER = "mammo"
PATHS = (
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
WORDS = {"exams": ("phantoms",), "store": ("none",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options say, paths made absolute."""

    classifier: str
    allow_pickle: bool
    exams: str
    scores: Path | None
    baseline: Path | None
    tolerances: Path
    universal: Path | None
    """Fields fitted before; None where they are fitted to this classifier."""
    fourier_map: tuple[float, ...]
    """Cycles/mm; empty where no map is asked for."""
    device: str
    precision: str
    engine: str
    ray_address: str
    """Empty for a Ray of this machine's own."""
    batch_size: int | None
    speed: tuple[str, ...]
    store: Path | None
    report: Path | None
    pictures: str
    """`auto` or `none`."""
    people: Path | None
    """Human readers' scores, for the report alone."""
    snapshots: Path | None
    """None where curve tests are not run."""
    seed: int
    strict: bool
    power: str | None
    """`cohort`, or counts; None where nobody asked."""
    default_tolerances: bool
    default_snapshots: bool


def add_options(parser: pytest.Parser) -> None:
    """Register every option and its ini twin."""
    group = parser.getgroup("mammo-robustness", "robustness of mammography classifiers (write options with =)")
    for option in OPTIONS:
        default = f" [{option.default}]" if option.default else ""
        group.addoption(
            option.flag,
            dest=f"mammo_{option.name}",
            default=None,
            metavar=option.metavar,
            choices=option.choices or None,
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
        STRICT, dest="mammo_strict", action="store_true", help="count allow and warn in tolerances as failures"
    )


def add_ini_keys(parser: pytest.Parser) -> None:
    """Register the ini twins, which a project that uses the suite may have in its own configuration."""
    for option in OPTIONS:
        parser.addini(f"mammo_{option.name}", f"see {option.flag}", default="")
    parser.addini("mammo_allow_pickle", f"see {ALLOW_PICKLE}", type="bool", default=False)


def read_settings(config: pytest.Config, claims_folder: Path) -> Settings:
    """The effective settings; whatever cannot be is a usage error that names the option."""
    values = {option.name: _value(config, option) for option in OPTIONS}
    for option in OPTIONS:
        if option.choices and values[option.name] not in option.choices:
            known = " or ".join(option.choices)
            raise UnusableInput(f"{option.flag} must be {known}, got {values[option.name]!r}")
    reference = values["classifier"] == "reference" and values["exams"] == "phantoms" and not values["scores"]
    snapshots = values["snapshots"] or (str(claims_folder / "__snapshots__") if reference else "")
    for name in ("scores", "baseline", "people", "tolerances", "exams", "universal"):
        if is_local(name, values[name]) and not Path(values[name]).is_file():
            raise UnusableInput(
                f"--mammo-{name}={values[name]}: no such file; paths are relative to the working folder"
            )
    check_engine(config, values)
    return Settings(
        classifier=values["classifier"],
        allow_pickle=config.getoption("mammo_allow_pickle") or config.getini("mammo_allow_pickle"),
        exams=values["exams"],
        scores=_path(values["scores"]),
        baseline=_path(values["baseline"]),
        tolerances=_path(values["tolerances"]) or claims_folder / "tolerances.toml",
        universal=_path(values["universal"]),
        fourier_map=_fourier_map(values["fourier_map"], values["report"]),
        device=values["device"],
        precision=values["precision"],
        engine=values["engine"],
        ray_address=values["ray_address"],
        batch_size=None if values["batch_size"] == "auto" else _whole("batch-size", values["batch_size"], 1),
        speed=_speed(values["speed"]),
        store=None if values["store"] == "none" else _path(values["store"]),
        report=_path(values["report"]),
        pictures=values["pictures"],
        people=_path(values["people"]),
        snapshots=_path(snapshots),
        seed=_whole("seed", values["seed"], 0),
        strict=bool(config.getoption("mammo_strict")),
        power=_power(config.getoption("mammo_power")),
        default_tolerances=not values["tolerances"],
        default_snapshots=not values["snapshots"] and reference,
    )


def _value(config: pytest.Config, option: Option) -> str:
    given: Any = config.getoption(f"mammo_{option.name}")
    base = config.invocation_params.dir
    if given is None:
        given = config.getini(f"mammo_{option.name}") or option.default
        base = config.inipath.parent if config.inipath else config.rootpath
    if option.name in PATHS and is_local(option.name, given):
        return str((base / Path(given).expanduser()).resolve())
    return str(given)


def is_local(name: str, value: str) -> bool:
    """Whether an option's value is a path of this machine; a manifest may be a URL, a classifier is seldom a file."""
    if name == "classifier":
        return is_model_file(value)
    return bool(value) and value not in WORDS.get(name, ()) and not (name == "exams" and is_url(value))


def _power(value: str | None) -> str | None:
    from mammo_fixtures.plugin.planning import parsed

    if value is not None:
        parsed(value)
    return value


def _fourier_map(value: str, report: str) -> tuple[float, ...]:
    from mammo_fixtures.plugin.beside_claims import frequencies

    if (found := frequencies(value)) and not report:
        raise UnusableInput(f"--mammo-fourier-map={value}: the map is written into the report; add --mammo-report=DIR")
    return found


def _speed(value: str) -> tuple[str, ...]:
    try:
        return () if value == "none" else check_speed(name.strip() for name in value.split(","))
    except UnusableInput as error:
        raise UnusableInput(f"--mammo-speed={value}: {error}; or none") from error


def _path(value: str) -> Path | None:
    return Path(value) if value else None


def _whole(name: str, value: str, least: int) -> int:
    if not value.isascii() or not value.isdecimal() or int(value) < least:
        raise UnusableInput(f"--mammo-{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)

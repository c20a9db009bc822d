"""The settings of a run: command line first, then the ini file, then the default."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mammo_fixtures.classifiers.loading import check_name, is_model_file
from mammo_fixtures.classifiers.speed import check_speed
from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.remote_file import is_url
from mammo_fixtures.exams.roots import listed
from mammo_fixtures.plugin.engine_choice import check_engine
from mammo_fixtures.plugin.option_pairs import check_pairs
from mammo_fixtures.plugin.options import NONE, OPTIONS, PATH_LISTS, PATHS, WORDS, Option
from mammo_fixtures.verdicts.spelling import nearest

_LONGEST_SHOWN = 200
_OF_THIS_MACHINE = tuple(name for name in PATHS if name not in ("classifier", "exams"))
"""A URL would be made a folder of that name here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options say, paths made absolute."""

    classifier: str
    allow_pickle: bool
    exams: str
    allow_outside: tuple[str, ...]
    """Folders and URLs that the paths in a manifest may lead to."""
    hash_ids: bool
    id_key: Path | None
    """None where the environment has it."""
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
    timeout_seconds: float | None
    """For one call of the classifier; None for as long as it takes."""
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
    plan: bool
    """Whether the run is only planned."""
    default_tolerances: bool
    default_snapshots: bool


def read_settings(config: pytest.Config, claims_folder: Path) -> Settings:
    """The effective settings; whatever cannot be is a usage error that names the option."""
    values = {option.name: _value(config, option) for option in OPTIONS}
    for option in OPTIONS:
        if option.choices and values[option.name] not in option.choices:
            known, got = ", ".join(option.choices[:-1]) + f" or {option.choices[-1]}", values[option.name]
            hint = nearest(got, option.choices) or "; give one of these"
            raise UnusableInput(f"{option.flag} must be {known}, got {got!r}{hint}")
    reference = values["classifier"] == "reference" and values["exams"] == "phantoms" and not values["scores"]
    snapshots = values["snapshots"] or (str(claims_folder / "__snapshots__") if reference else NONE)
    report = _path_or_none(values["report"])
    for name in ("scores", "baseline", "people", "tolerances", "exams", "universal"):
        if is_local(name, values[name]) and not _is_file(f"--mammo-{name}", values[name]):
            near = difflib.get_close_matches(Path(values[name]).name, WORDS.get(name, ()), n=1, cutoff=0.8)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnusableInput(f"{_as_stated(config, name, values[name])}{hint}")
    if is_local("store", values["store"]):
        _is_file("--mammo-store", values["store"])  # which need not be there yet
    _check_device(values["device"])
    check_engine(config, values)
    check_pairs(config, values)
    _check_classifier(config, values["classifier"], values["scores"])
    return Settings(
        classifier=values["classifier"],
        allow_pickle=_switched(config, "mammo_allow_pickle"),
        exams=values["exams"],
        allow_outside=listed(values["allow_outside"], Path()),
        hash_ids=_switched(config, "mammo_hash_ids"),
        id_key=_path(values["id_key"]),
        scores=_path(values["scores"]),
        baseline=_path(values["baseline"]),
        tolerances=_path(values["tolerances"]) or claims_folder / "tolerances.toml",
        universal=_path(values["universal"]),
        fourier_map=_fourier_map(values["fourier_map"], report),
        device=values["device"],
        precision=values["precision"],
        engine=values["engine"],
        ray_address=values["ray_address"],
        batch_size=None if values["batch_size"] == "auto" else _whole("batch-size", values["batch_size"], 1),
        timeout_seconds=_seconds(values["timeout"]),
        speed=_speed(values["speed"]),
        store=_path_or_none(values["store"]),
        report=report,
        pictures=values["pictures"],
        people=_path(values["people"]),
        snapshots=_path_or_none(snapshots),
        seed=_whole("seed", values["seed"], 0),
        strict=_switched(config, "mammo_strict"),
        power=_power(config.getoption("mammo_power")),
        plan=bool(config.getoption("mammo_plan")),
        default_tolerances=not values["tolerances"],
        default_snapshots=not values["snapshots"] and reference,
    )


def _value(config: pytest.Config, option: Option) -> str:
    given: Any = config.getoption(option.key)
    base = config.invocation_params.dir
    if given == "":
        # Mostly a shell's variable that is not set: the phantoms, or no baseline, would be taken in its place.
        raise UnusableInput(f"{option.flag} must have a value, got none; give one, or leave the option out")
    if given is None:
        key = option.key
        given = config.getini(key) or option.default
        if not any(each.startswith(f"{key}=") for each in config.getoption("override_ini") or ()):  # -o is typed, too
            base = config.inipath.parent if config.inipath else config.rootpath
    if option.name in _OF_THIS_MACHINE and is_url(str(given)):
        raise UnusableInput(
            f"{option.flag} must be a path of this machine, got a URL, {given.partition('://')[0]}://…; copy "
            "from or to it"
        )
    return located(option.name, given, base)


def _as_stated(config: pytest.Config, name: str, path: str) -> str:
    """What is said of a file that is not there, with what its path is relative to where it was given."""
    if config.getoption(f"mammo_{name}") is not None:
        return f"--mammo-{name}={path}: no such file; paths are relative to the working folder"
    return f"mammo_{name} = {path}: no such file; paths in a configuration file are relative to that file"


def _switched(config: pytest.Config, name: str) -> bool:
    try:
        return bool(config.getoption(name) or config.getini(name))
    except (ValueError, TypeError, pytest.UsageError) as error:
        raise UnusableInput(f"{name} must be true or false in a configuration file: {error}") from error


def located(name: str, given: Any, base: Path) -> str:
    """An option's value with its paths made absolute against a folder."""
    if name in PATH_LISTS:
        return ",".join(listed(given, base))
    if name in PATHS and is_local(name, given):
        return str((base / Path(given).expanduser()).resolve())
    return str(given)


def is_local(name: str, value: str) -> bool:
    """Whether an option's value is a path of this machine; a manifest may be a URL, a classifier is seldom a file."""
    if name == "classifier":
        return is_model_file(value)
    return bool(value) and value not in WORDS.get(name, ()) and not (name == "exams" and is_url(value))


def _is_file(flag: str, path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError as error:  # a name of a thousand letters, a folder that may not be entered
        raise UnusableInput(
            f"{flag} must be a file that can be read, got {short(path)}: {error.strerror}; check the path and your "
            "rights to it"
        ) from error


def short(path: str | Path) -> str:
    """A path as messages show it, cut where nobody would read on."""
    return str(path) if len(str(path)) <= _LONGEST_SHOWN else f"{str(path)[:_LONGEST_SHOWN]}…"


def _check_device(value: str) -> None:
    """Whether the device is there is told once torch is imported."""
    if not re.fullmatch(r"auto|cpu(:0)?|cuda(:\d+)?", value):
        near = difflib.get_close_matches(value.lower(), ("auto", "cpu", "cuda"), n=1)
        hint = f"did you mean {near[0]}?" if near else "give one of these"
        raise UnusableInput(f"--mammo-device must be auto, cpu, cuda or cuda:1, got {value!r}; {hint}")


def _check_classifier(config: pytest.Config, value: str, scores: str) -> None:
    """What can be known without importing anything: how it is written, and whether a file is there."""
    try:
        check_name(value)
    except UnusableInput as error:
        raise UnusableInput(f"--mammo-{error}") from error
    if is_model_file(value) and not scores and not _is_file("--mammo-classifier", value):
        raise UnusableInput(_as_stated(config, "classifier", value))


def _power(value: str | None) -> str | None:
    from mammo_fixtures.plugin.planning import parsed

    if value is not None:
        parsed(value)
    return value


def _fourier_map(value: str, report: Path | None) -> tuple[float, ...]:
    from mammo_fixtures.plugin.beside_claims import frequencies

    if (found := frequencies(value)) and report is None:
        raise UnusableInput(f"--mammo-fourier-map={value}: the map is written into the report; add --mammo-report=DIR")
    return found


def _speed(value: str) -> tuple[str, ...]:
    try:
        return () if value == "none" else check_speed(name.strip() for name in value.split(","))
    except UnusableInput as error:
        raise UnusableInput(f"--mammo-speed must be none, or names with commas, got {value!r}: {error}") from error


def _seconds(value: str) -> float | None:
    if value == "none":
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 1e6:
        raise UnusableInput(f"--mammo-timeout must be a number of seconds above 0, or none, got {value!r}")
    return seconds


def _path_or_none(value: str) -> Path | None:
    return None if value == NONE else _path(value)


def _path(value: str) -> Path | None:
    return Path(value) if value else None


def _whole(name: str, value: str, least: int) -> int:
    if not value.isascii() or not value.isdecimal() or int(value) < least:
        raise UnusableInput(f"--mammo-{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)

"""Reads tolerances.toml, a list of `[[tolerance]]` tables; whatever it does not understand is an error."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields, replace
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import MOST_SETTINGS_BYTES, read_at_most
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.scoring.score_table import CLEAN
from mammo_fixtures.verdicts.conflicts import refuse_conflicts
from mammo_fixtures.verdicts.sampling import metric_named
from mammo_fixtures.verdicts.spelling import nearest
from mammo_fixtures.verdicts.tolerance import Tolerance

if TYPE_CHECKING:
    from mammo_fixtures.perturbations.record import Perturbation

_FIELDS = {field.name: field for field in fields(Tolerance) if field.name != "where"}
_REQUIRED = tuple(name for name, field in _FIELDS.items() if field.default is MISSING)
_NUMBERS = ("margin", "confidence", "prevalence", "up_to")
_EXAMPLES = {
    "claim": "holds",
    "perturbation": "lowpass",
    "subgroup": "masses",
    "metric": "auc",
    "margin": "0.05",
    "confidence": "0.95",
    "prevalence": "0.005",
    "up_to": "0.5",
}


def read_tolerances(path: str | Path) -> tuple[Tolerance, ...]:
    """The tolerances of a file, in its order, each checked against the catalogue of perturbations."""
    path = Path(path)
    tables = _tables(path)
    tolerances = tuple(_tolerance(table, f"{path.name}, table {number}") for number, table in enumerate(tables, 1))
    refuse_conflicts(tolerances)
    return tolerances


def _tables(path: Path) -> list[Any]:
    try:
        with path.open("rb") as file:
            # With a byte order mark, as editors of Windows write it.
            content = tomllib.loads(read_at_most(file, MOST_SETTINGS_BYTES).decode("utf-8-sig"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnusableInput(
            f"{path}: tolerances must be a readable TOML file, got {reason!r}; give one with --mammo-tolerances=FILE"
        ) from error
    except UnusableInput as error:
        raise UnusableInput(f"{path.name}: {error}") from error
    except UnicodeDecodeError as error:
        line, byte = error.object.count(b"\n", 0, error.start) + 1, error.object[error.start]
        raise UnusableInput(
            f"{path.name}: tolerances must be TOML in UTF-8, got byte 0x{byte:02x} in line {line}; save it as UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
        raise UnusableInput(f"{path.name}: tolerances must be TOML in UTF-8, got {error}; mend that line") from error
    for key in content:
        if key != "tolerance":
            remedy = (
                "; write [[tolerance]] above each table" if nearest(key, ["tolerance"]) else "; rename or remove it"
            )
            raise UnusableInput(f"{path.name}: only [[tolerance]] tables may stand here, got {key!r}{remedy}")
    tables = content.get("tolerance", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UnusableInput(f"{path.name}: tolerance must be a list of tables, got one; write [[tolerance]] above each")
    if not tables:
        raise UnusableInput(f"{path.name}: a gate needs at least one tolerance, got none; add a [[tolerance]] table")
    return tables


def _tolerance(table: dict[str, Any], where: str) -> Tolerance:
    for key in table:
        if key not in _FIELDS:
            hint = nearest(key, list(_FIELDS)) or f"; known are {', '.join(_FIELDS)}"
            raise UnusableInput(f"{where}: keys must be known ones, got {key!r}{hint}")
    missing = [key for key in _REQUIRED if key not in table]
    if missing:
        raise UnusableInput(f"{where}: {', '.join(_REQUIRED)} must be there, got no {missing[0]}; add {missing[0]} = …")
    for key, value in table.items():
        _check_type(key, value, where)
    for key in ("subgroup", "than"):
        if not (text := table.get(key, "")).isprintable() or text != text.strip():
            raise UnusableInput(
                f"{where}: {key} must be printable text in one line that begins and ends with no space, got {text!r}; "
                "tables hold no other names"
            )
    _refuse_unused(table, where)
    values = table | {key: float(table[key]) for key in _NUMBERS if key in table}
    severities = tuple(float(severity) for severity in table.get("severities", ()))
    return _in_catalogue(Tolerance(**(values | {"severities": severities}), where=where), stated="severities" in table)


def _check_type(key: str, value: object, where: str) -> None:
    if key == "severities":
        rule, good = "a list of numbers", isinstance(value, list) and all(map(_is_number, value))
        remedy = "in brackets, without quotes and unit: severities = [0.5, 1.0]"
    elif key in _NUMBERS:
        rule, good = "a number", _is_number(value)
        remedy = f"with a point, without quotes and unit: {key} = {_EXAMPLES[key]}"
    else:
        rule, good = "text in quotes", isinstance(value, str)
        remedy = f'it so: {key} = "{_EXAMPLES.get(key, "…")}"'
    if not good:
        raise UnusableInput(f"{where}: {key} must be {rule}, got {_shown(value)}; write {remedy}")


def _shown(value: object) -> str:
    """As TOML has it, where that is short."""
    return (
        str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, date | time) else repr(value)
    )


def _refuse_unused(table: dict[str, Any], where: str) -> None:
    """What a metric does not look at: who states it would take the claim for another."""
    metric = table.get("metric", _FIELDS["metric"].default)
    for key in ("operating_point", "prevalence"):
        if key in table and key not in metric_named(metric, where=where).needs:
            raise UnusableInput(f"{where}: {key} must stand with a metric that uses it, got {metric!r}; leave it out")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_catalogue(tolerance: Tolerance, *, stated: bool) -> Tolerance:
    """The same, once its perturbation is known and its severities are meaningful."""
    where, names = tolerance.where, PERTURBATIONS.names
    if tolerance.perturbation == CLEAN.perturbation and tolerance.claim == "not_worse":
        if stated or tolerance.up_to is not None:
            raise UnusableInput(f"{where}: clean has no severities, got some; leave them out")
        return replace(tolerance, severities=(CLEAN.severity,))
    if tolerance.perturbation == CLEAN.perturbation:
        raise UnusableInput(
            f"{where}: perturbation may be 'clean' in a not_worse claim only, got {tolerance.claim!r}; name what "
            "changes the exams"
        )
    if tolerance.perturbation not in names:
        hint = nearest(tolerance.perturbation, names) or f"; known are {', '.join(names)}"
        raise UnusableInput(f"{where}: perturbation must be in the catalogue, got {tolerance.perturbation!r}{hint}")
    if stated and not tolerance.severities:
        raise UnusableInput(f"{where}: severities must hold a number, got []; leave the key out for the whole ladder")
    record = PERTURBATIONS[tolerance.perturbation]
    if record.averages and tolerance.readers != "fixed":
        raise UnusableInput(
            f"{where}: readers of {record.name} must be 'fixed', got {tolerance.readers!r}; leave it out"
        )
    low, high = record.valid
    for severity in tolerance.severities:
        if not low <= severity <= high or severity == record.nothing:
            raise UnusableInput(
                f"{where}: severities of {record.name} must lie in {low:g} … {high:g} {record.unit} and change "
                f"something, got {severity:g}; its ladder is {', '.join(format(s, 'g') for s in record.severities)}"
            )
    return _up_to(tolerance, record) if tolerance.up_to is not None else tolerance


def _up_to(tolerance: Tolerance, record: Perturbation) -> Tolerance:
    """The same with the severities of the ladder up to the given one."""
    where, end = tolerance.where, tolerance.up_to
    assert end is not None
    if tolerance.severities:
        raise UnusableInput(f"{where}: severities and up_to must not both stand, got both; leave one out")
    reached = tuple(s for s in record.severities if (s >= end if record.falling else s <= end))
    if not reached:
        raise UnusableInput(
            f"{where}: up_to must reach the ladder of {record.name}, got {end:g}; "
            f"its ladder is {', '.join(format(s, 'g') for s in record.severities)}"
        )
    return replace(tolerance, severities=reached)

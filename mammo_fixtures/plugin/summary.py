"""What a run prints above and below its tests."""

from __future__ import annotations

import sys

import pytest

from mammo_fixtures import __version__
from mammo_fixtures.classifiers.loading import shown
from mammo_fixtures.errors import UnusableInput, printable
from mammo_fixtures.exams.remote_file import file_at
from mammo_fixtures.plugin.devices import workers_line
from mammo_fixtures.plugin.engine_choice import engine_said
from mammo_fixtures.plugin.progress import minutes
from mammo_fixtures.plugin.run import Run
from mammo_fixtures.reports.ladder import broken_lines
from mammo_fixtures.reports.terminal import counts_line, verdict_table


def header_lines(run: Run, *, workers: int) -> list[str]:
    """The effective settings."""
    s = run.settings
    source = (
        f"scores {s.scores}"
        if s.scores
        else f"classifier {shown(s.classifier)}, exams {file_at(s.exams)}, seed {s.seed}"
    )
    lines = [f"mammo-robustness {__version__}: {source}"]
    if s.scores is None:
        batch = "auto" if s.batch_size is None else s.batch_size
        lines.append(
            f"mammo: {engine_said(s)}device {s.device}, precision {s.precision}, batch size {batch}, "
            f"speed {', '.join(s.speed) or 'none'}, store {s.store or 'none'}"
        )
        if workers > 1:
            lines.append(workers_line(s.device, workers))
    if run.pseudonyms is not None:
        lines.append(f"mammo: ids are {run.pseudonyms.told}")
    if s.baseline is not None:
        lines.append(f"mammo: baseline {s.baseline}")
    lines.append(
        f"mammo: tolerances {s.tolerances}{', strict' if s.strict else ''}; snapshots {s.snapshots or 'none'}; "
        f"report {s.report or 'none'}"
    )
    if s.scores is None and s.classifier == "reference":
        lines.append("mammo: the reference classifier is a demonstration trained on phantoms, no medical device")
    return lines


def write_power(run: Run, terminal: pytest.TerminalReporter) -> None:
    """What `--mammo-power` asks for, also where tests are only collected."""
    if run.settings.power is None or run.worker is not None:
        return
    from mammo_fixtures.plugin.planning import power_lines

    terminal.section("power")
    try:
        lines = power_lines(run)
    except UnusableInput as error:
        lines = [f"power: {error}"]
    for line in lines:
        terminal.write_line(line)


def write_summary(run: Run, terminal: pytest.TerminalReporter) -> None:
    """The table of claims, counts and remarks, at the end of a run that judged any or was to.

    Where workers were stopped before any of them ended a test, nothing tells how many claims they had.
    """
    judging = run.claims_selected or run.verdicts
    if not judging and not run.remarks and not run.effort:
        return
    terminal.section("robustness of the classifier")
    if run.verdicts:
        for line in verdict_table(run.verdicts_in_order, encoding=sys.stdout.encoding or "utf-8").splitlines():
            terminal.write_line(line)
    for line in (
        *([counts_line(run.verdicts, selected=run.claims_selected, ends=run.ends)] if judging else []),
        *(f"curve: {line}" for line in broken_lines(run.curves, run.verdicts)),
        *_effort(run),
        *(f"note: {line}" for line in run.stated()),
    ):
        terminal.write_line(printable(line))


def _effort(run: Run) -> list[str]:
    """What the pass took: its size decides the time, so that both stand in one line."""
    if not run.effort:
        return []
    size = f"{run.header['exams']:,} exams, {run.header['views']:,} views × {run.header['conditions']} conditions"
    found = f", {run.effort['found']:,} of them from the store" if run.effort["found"] else ""
    return [f"scored: {size}, {run.effort['scores']:,} scores{found}, in {minutes(run.effort['seconds'])}"]

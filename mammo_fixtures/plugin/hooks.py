"""pytest's hooks: a few lines each, the work is elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.plugin import selection
from mammo_fixtures.plugin.kept import kept_said
from mammo_fixtures.plugin.nothing_selected import advice, remember
from mammo_fixtures.plugin.options import add_options
from mammo_fixtures.plugin.pass_plan import plan_alone, write_plan
from mammo_fixtures.plugin.progress import give_back, watch
from mammo_fixtures.plugin.reporting import why_stopped, write_reports
from mammo_fixtures.plugin.run import RUN, Run, claims_folder, run_of
from mammo_fixtures.plugin.snapshots import stored_in, written_said
from mammo_fixtures.plugin.starting_copies import begin_project, refuse_update_of_installed
from mammo_fixtures.plugin.summary import header_lines, write_power, write_summary
from mammo_fixtures.plugin.surroundings import check_surroundings
from mammo_fixtures.plugin.termination import end_as_interrupted, end_despite_threads, end_never_as_passed
from mammo_fixtures.plugin.watchdog import keep_stderr
from mammo_fixtures.plugin.writable import check_folders


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    return None if config.option.mammo_init is None else begin_project(config)


def pytest_configure(config: pytest.Config) -> None:
    for line in selection.MARKERS:
        config.addinivalue_line("markers", line)
    try:
        check_surroundings(config)
        run = config.stash[RUN] = Run.begin(config)
        config.add_cleanup(run.end)
        if config.option.update_snapshots:
            refuse_update_of_installed(claims_folder(config), run.settings.snapshots)
        check_folders(config, run)
    except UnusableInput as error:
        raise pytest.UsageError(str(error)) from error
    keep_stderr(config)
    end_as_interrupted(config)
    end_never_as_passed(config)
    if run.settings.plan and run.worker is None:
        plan_alone(config)
    if run.settings.snapshots is not None:
        config.option.snapshot_dirname = str(run.settings.snapshots)
        if config.option.update_snapshots and getattr(config.option, "tx", None):
            config.stash[_STORED] = stored_in(run.settings.snapshots)
    # syrupy would delete the snapshots of deselected and extended curves; test_contract finds the orphans instead.
    config.option.disable_unused_snapshots = True


def pytest_report_header(config: pytest.Config) -> list[str]:
    return header_lines(run_of(config), workers=len(getattr(config.option, "tx", None) or ()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    selection.parametrize(metafunc, run_of(metafunc.config))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    selection.deselect(config, items)


def pytest_deselected(items: list[pytest.Item]) -> None:
    remember(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    run_of(session.config).select(session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    run = run_of(node.config)
    number = run.numbers.take(node.gateway.id)
    node.workerinput["mammo"] = {"pass_name": run.pass_name, "folder": str(run.folder), "number": number}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    run_of(node.config).keep_order(ids)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    output, run = getattr(node, "workeroutput", {}).get("mammo"), run_of(node.config)
    run.numbers.leave(node.gateway.id)
    if output:
        run.note(output)
    else:
        give_back(run, node.gateway.id)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Any:
    if run_of(session.config).settings.plan:
        write_plan(session)
    with watch(session.config):
        return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if _session_run is not None:
        _session_run.take(report)


_STORED = pytest.StashKey[dict[Path, bytes]]()
"""Snapshots before workers update them."""
# pytest_runtest_logreport is given no config.
_session_run: Run | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    global _session_run
    _session_run = run_of(session.config)
    end_despite_threads(session)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    run = run_of(session.config)
    if run.worker is not None:
        session.config.workeroutput["mammo"] = run.told()  # type: ignore[attr-defined]
    elif not run.settings.plan:
        if said := kept_said(run):
            run.remarks[said] = None
        if exitstatus == pytest.ExitCode.OK and run.judged_nothing:
            exitstatus = session.exitstatus = pytest.ExitCode.TESTS_FAILED
            run.remarks["nothing was judged: all that was selected was skipped (-rs says why), so the status is 1"] = (
                None
            )
        if not write_reports(run, stopped=why_stopped(session, exitstatus), status=exitstatus):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        before = session.config.stash.get(_STORED, None)
        if (
            before is not None and run.settings.snapshots is not None
        ):  # for the terminal: it names a folder of this machine
            run.remarks[written_said(before, run.settings.snapshots)] = None


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    # syrupy's session is over and found nothing unused; left set, it would print that this is not recommended.
    config.option.disable_unused_snapshots = False
    write_power(run_of(config), terminalreporter)
    for line in advice(config) if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED else ():
        terminalreporter.write_line(line)
    asked = config.option.collectonly or run_of(config).settings.plan
    nothing = exitstatus == pytest.ExitCode.USAGE_ERROR and not run_of(config).verdicts
    if not asked and not nothing:
        write_summary(run_of(config), terminalreporter)

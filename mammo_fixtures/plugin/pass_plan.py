"""`--mammo-plan`: what the selected tests would compute, and about how long it takes, before anything is scored."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.machine_share import free_bytes, usable_cores
from mammo_fixtures.plugin.devices import Place, place_of, threads_to_use, visible_gpus
from mammo_fixtures.plugin.engine_choice import engine_of, own_device
from mammo_fixtures.plugin.missing_subgroups import missing_subgroups
from mammo_fixtures.plugin.progress import long_time
from mammo_fixtures.plugin.run import Run, run_of
from mammo_fixtures.plugin.run_inputs import given_fields, load, read_exams, sweep_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mammo_fixtures.scoring.calibration import Calibration
    from mammo_fixtures.scoring.one_pass import Pass
    from mammo_fixtures.scoring.outlook import Outlook
    from mammo_fixtures.scoring.store import Store

NOTHING_SELECTED = "plan: no claim was selected, there is nothing to score; look at -k, -m and the tolerances"


def plan_alone(config: pytest.Config) -> None:
    """Before xdist is asked: this process plans for as many workers as `-n` says, and starts none."""
    run = run_of(config)
    run.planned_workers = len(getattr(config.option, "tx", None) or ()) or 1
    config.option.dist, config.option.tx, config.option.numprocesses = "no", [], None


def write_plan(session: pytest.Session) -> None:
    """Print the plan, and leave no test to run."""
    config = session.config
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    session.items.clear()
    try:
        lines = plan_lines(config)
    except UnusableInput as error:
        raise pytest.UsageError(str(error)) from error
    if terminal is not None:
        terminal.section("plan")
        for line in lines:
            terminal.write_line(line)


def plan_lines(config: pytest.Config) -> list[str]:
    """Exams, conditions, scores there and to do, time, memory, disk; a line each."""
    run = run_of(config)
    if not run.conditions or not run.claims_of_scores:
        return [NOTHING_SELECTED]
    from mammo_fixtures.scoring.calibration import calibrate
    from mammo_fixtures.scoring.outlook import outlook

    crew = _crew(run)
    with _store(run) as store:
        one_pass = _pass(config, crew, store)
        ahead = outlook(one_pass)
        lines = [*_size(one_pass, ahead), *_missing(one_pass, ahead)]
        lines += [f"plan: {said}" for said in missing_subgroups(run.relied_on, one_pass.cohort)]
        if ahead.left:
            if run.settings.engine == "ray":
                crew = _ray_crew(one_pass)
            crew.settle()
            measured = calibrate(one_pass.sweep, ahead)
            lines += [*_time(ahead, measured, crew), _memory(one_pass, ahead, crew), _disk(run, one_pass, ahead)]
        else:
            lines.append("plan: nothing is left to do; a run only reads the store and judges")
    return [*lines, "plan: no test was run and no score kept; leave --mammo-plan out to run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Processes that would share the exams."""

    place: Place
    """Of one of them."""
    processes: int
    at_once: int
    """As many of them as have a device or cores of their own."""
    said: str

    def settle(self) -> None:
        """Take as many threads as one of them would have."""
        import torch

        if self.place.threads is not None:
            torch.set_num_threads(self.place.threads)


def _crew(run: Run) -> Crew:
    workers, threads = run.planned_workers, threads_to_use()
    gpus = visible_gpus()
    wanted = own_device(run.settings)
    place = place_of(0, workers=workers, wanted=wanted, gpus=gpus, threads=threads, cores=usable_cores())
    on_cpu = wanted == "cpu" or (wanted == "auto" and not gpus)
    chosen = 1 if wanted not in ("auto", "cpu", "cuda") else gpus
    at_once = min(workers, usable_cores() if on_cpu else max(1, chosen))
    said = f"{workers} process{'es' * (workers > 1)}"
    if on_cpu:
        each = place.threads or threads
        said += f" with {each} thread{'s' * (each > 1)}{' each' * (workers > 1)}"
    return Crew(place=place, processes=workers, at_once=at_once, said=said)


def _ray_crew(one_pass: Pass) -> Crew:
    from mammo_fixtures.scoring.engines.ray import RayEngine

    engine, device = one_pass.engine, one_pass.keys.device
    assert isinstance(engine, RayEngine)
    actors = engine.actors(device)
    # Ray gives an actor on the CPU one core.
    place = Place(device=device, threads=1 if device == "cpu" else None)
    said = f"{actors} Ray actors on {device}, if each is as fast as this machine"
    return Crew(place=place, processes=actors, at_once=actors, said=said)


@contextmanager
def _store(run: Run) -> Iterator[Store]:
    """The run's store if it is there; none is made."""
    from mammo_fixtures.scoring.store import Store

    with Store(run.store if run.store.exists() else run.folder / "plan.sqlite") as store:
        yield store


def _pass(config: pytest.Config, crew: Crew, store: Store) -> Pass:
    from mammo_fixtures.scoring.one_pass import Pass

    run = run_of(config)
    s = run.settings
    cohort, classifier = read_exams(config), load(config)
    sweep = sweep_of(
        s,
        classifier,
        crew.place.device,
        batch_size=s.batch_size,
        neighbours=crew.place.neighbours,
        cores=crew.place.cores,
        fields=given_fields(s),
    )
    return Pass(
        cohort=cohort, sweep=sweep, conditions=run.conditions, store=store, name=run.pass_name, engine=engine_of(s)
    )


def _size(one_pass: Pass, ahead: Outlook) -> list[str]:
    from mammo_fixtures.scoring.needs import by_reason

    cohort = one_pass.cohort
    views = sum(len(exam.views) for exam in cohort)
    return [
        f"plan: {len(cohort):,} exams, {len(cohort.breasts):,} breasts, {views:,} views × "
        f"{len(one_pass.conditions)} conditions: {ahead.scores:,} scores",
        *(f"plan: {said}" for said in by_reason(one_pass.unmet)),
    ]


def _missing(one_pass: Pass, ahead: Outlook) -> list[str]:
    amount = ahead.amount
    gradients = f" and {amount.gradients:,} gradients" if amount.gradients else ""
    images = "images" if one_pass.sweep.inference.classifier.level == "view" else "calls with all views of an exam"
    lines = [
        f"plan: {ahead.stored:,} in the store, {ahead.missing:,} to do: {amount.views:,} views to decode, "
        f"{amount.images:,} {images}{gradients}"
    ]
    if not one_pass.keeps:
        lines.append("plan: the classifier has no fingerprint: its scores are kept for one run only")
    elif ahead.unread and ahead.stored:
        lines.append(f"plan: {ahead.unread:,} views were never read, or changed; their scores count as to do")
    return lines


def _time(ahead: Outlook, measured: Calibration, crew: Crew) -> list[str]:
    rates = measured.rates
    seconds = rates.seconds(ahead.amount, processes=crew.at_once)
    gradient = f", {_milliseconds(rates.gradient)} a gradient" if rates.gradient else ""
    return [
        f"plan: about {long_time(seconds)} by {crew.said}",
        f"plan: measured in {measured.seconds:.0f} s on {measured.views} views: decode "
        f"{_milliseconds(rates.decode)} a view; an image {_milliseconds(rates.perturb)} to perturb and prepare and "
        f"{_milliseconds(rates.classify)} in the classifier, batch {measured.batch}{gradient}",
    ]


def _memory(one_pass: Pass, ahead: Outlook, crew: Crew) -> str:
    from mammo_fixtures.plugin.memory_of_process import peak_bytes

    device = one_pass.sweep.inference.device
    # The table of scores is held while the claims are judged.
    peak = peak_bytes() + 8 * ahead.scores
    line = f"plan: memory about {_size_text(peak)}{' each' * (crew.processes > 1)}, as measured here"
    if (free := free_bytes()) is not None:
        line += f"; {_size_text(free)} free"
    if device.type == "cuda":
        import torch

        free_there, _ = torch.cuda.mem_get_info(device)
        line += f"; on {device} {_size_text(torch.cuda.max_memory_reserved(device))}, {_size_text(free_there)} free"
    return line


def _disk(run: Run, one_pass: Pass, ahead: Outlook) -> str:
    from mammo_fixtures.scoring.cost_model import store_bytes

    there = next(folder for folder in run.store.parents if folder.exists())
    grows = store_bytes(scores=ahead.missing, views=ahead.unread)
    where = run.settings.store if run.settings.store and one_pass.keeps else "a file that the run removes"
    return f"plan: disk about {_size_text(grows)} more in {where}; {_size_text(shutil.disk_usage(there).free)} free"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _size_text(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"

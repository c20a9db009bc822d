"""The phantom cohort as files: written once into a cache folder, then read like anyone's exams."""

from __future__ import annotations

import csv
import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from PIL import Image

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.phantoms.dicom_file import write_dicom
from mammo_fixtures.exams.phantoms.plan import plan_exam
from mammo_fixtures.exams.phantoms.recipe import Recipe, read_recipe
from mammo_fixtures.exams.phantoms.rendering import POSITIONS, render_exam
from mammo_fixtures.machine_share import usable_cores

COLUMNS = ("exam_id", "side", "view", "path", "malignant", "subgroup", "roi_path", "density")
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_FEW_EXAMS = 8
"""Up to so many exams are written by this process: starting others would take longer."""


def phantom_cohort(
    recipe: Recipe | None = None,
    folder: Path | None = None,
    exams: int | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Path:
    """The manifest of the phantom cohort, after writing what is not there yet.

    `recipe` defaults to the shipped one, `exams` to all of it, `folder` to the cache folder (`$MAMMO_CACHE`, else
    `$XDG_CACHE_HOME/mammo-robustness`, else `~/.cache/mammo-robustness`). Several processes may ask: one writes,
    the others wait. What a killed run had finished is kept. `progress` is called with exams done and wanted.
    """
    recipe = read_recipe() if recipe is None else recipe
    count = recipe.exams if exams is None else exams
    if not 1 <= count <= recipe.exams:
        raise UnusableInput(f"phantom cohort: exams must be 1 to {recipe.exams}, as in the recipe, got {count}")
    home = (cache_folder() if folder is None else folder) / f"phantoms-{recipe.digest}"
    manifest = home / ("manifest.csv" if count == recipe.exams else f"manifest-{count}.csv")
    if manifest.is_file():
        return manifest
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(
            f"{home}: the folder for phantoms must be writable, got: {error}; set MAMMO_CACHE to one that is"
        ) from error
    with FileLock(home / "lock"):
        if not manifest.is_file():
            for unfinished in home.glob("*.part"):
                shutil.rmtree(unfinished) if unfinished.is_dir() else unfinished.unlink()
            _write_exams(recipe, home, count, progress, workers or usable_cores())
            _write_manifest(recipe, home, count, manifest)
    return manifest


def cache_folder() -> Path:
    """Where the phantoms are kept between runs."""
    if chosen := os.environ.get("MAMMO_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mammo-robustness"


def write_exam(recipe: Recipe, home: Path, number: int) -> None:
    """Write the files of one exam under a name that says unfinished, then give them their own."""
    final = home / plan_exam(recipe, number)[0].exam_id
    part = final.with_suffix(".part")
    part.mkdir()
    for view in render_exam(recipe, number):
        stem = f"{view.breast.side}_{view.position}"
        write_dicom(recipe, view, part / f"{stem}.dcm")
        if view.breast.finding:
            Image.fromarray(view.region.astype("uint8") * 255).save(part / f"{stem}_region.png", compress_level=3)
    part.rename(final)


def _write_exams(
    recipe: Recipe, home: Path, count: int, progress: Callable[[int, int], None] | None, workers: int
) -> None:
    missing = [number for number in range(count) if not (home / plan_exam(recipe, number)[0].exam_id).is_dir()]
    done = count - len(missing)
    for _ in _each_written(recipe, home, missing, workers):
        done += 1
        if progress is not None:
            progress(done, count)


def _each_written(recipe: Recipe, home: Path, numbers: list[int], workers: int) -> Iterator[None]:
    if workers == 1 or len(numbers) <= _FEW_EXAMS:
        for number in numbers:
            write_exam(recipe, home, number)
            yield
        return
    # spawn: forking a process that holds torch's threads or a GPU is unsafe
    context = multiprocessing.get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        written = [pool.submit(write_exam, recipe, home, number) for number in numbers]
        try:
            for future in as_completed(written):
                future.result()
                yield
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    # a worker whose parent was killed would otherwise wait for work for ever
    threading.Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    # read by the linear algebra libraries of the processes started meanwhile
    before = {name: os.environ.get(name) for name in _THREAD_LIMITS}
    os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _write_manifest(recipe: Recipe, home: Path, count: int, manifest: Path) -> None:
    part = manifest.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        for number in range(count):
            for breast in plan_exam(recipe, number):
                for position in POSITIONS:
                    stem = f"{breast.exam_id}/{breast.side}_{position}"
                    region = f"{stem}_region.png" if breast.finding else ""
                    label = int(breast.malignant)
                    row = (breast.exam_id, breast.side, position, f"{stem}.dcm", label, breast.subgroup, region)
                    table.writerow((*row, breast.density))
    part.replace(manifest)

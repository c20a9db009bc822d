"""Our perturbations beside those of peers: same image, same process, interleaved, as ratios of medians.

`tox -e peers`, or `python robustness_tests/benchmarks/peers.py -o peers.json` where the peers are installed. Other work
on the machine slows a two-thread call more than a one-thread one, so quote ratios, and say with how many threads.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from peer_jobs import JOBS, Jobs
from published_filter import exact

from mammo_fixtures import PERTURBATIONS, View
from mammo_fixtures.classifiers.memory import keep_freed_memory
from mammo_fixtures.perturbations import Shared, apply
from mammo_fixtures.perturbations.cosine_transform import forward

EXACT = 1e-4
"""Largest error, as a fraction of full scale, of a low-pass that counts as exact."""
CHECKED_MM = (0.17, 0.50, 2.00)
"""Wavelengths at which low-pass filters are held against the float64 reference."""
READY = "ours, shared work done"
"""As in a pass of the catalogue, where mask and fields were made for another perturbation of the view."""
FAST_SECONDS = 1.0
"""A ladder that takes less is run untimed before each timing, for so long:"""
WARM_SECONDS = 0.25
SLOW_SECONDS = 5.0
"""A ladder that takes longer is timed once."""
SHAPE, SPACING_MM = (2944, 1920), 0.07


def full_size_view():
    """A half disc of textured tissue at the left edge, background exactly zero."""
    row, column = (axis / length for axis, length in zip(np.ogrid[: SHAPE[0], : SHAPE[1]], SHAPE, strict=True))
    depth = 1 - (row - 0.5) ** 2 / 0.2 - column**2 / 0.6
    tissue = (
        0.45 + 0.2 * depth + np.random.default_rng(0).normal(0, 0.015, SHAPE) + 0.07 * np.sin(40 * row + 7 * column)
    )
    pixels = np.where(depth > 0, np.clip(tissue, 0, 1), 0).astype(np.float32)
    return View(pixels=pixels, pixel_spacing_mm=(SPACING_MM, SPACING_MM), side="L", position="CC", exam_id="1")


def compare(jobs, job, rounds):
    """Medians of a ladder in ms by who did it, ours first; who could not is named with the reason."""
    ladders = {"ours": jobs.ours(job), READY: jobs.ours(job, ready=True)}
    failed = {}
    peers = getattr(jobs, job)()
    for who, one in peers:
        ladders[who] = jobs.each(job, one)
    seconds = {who: [] for who in ladders}
    fast: set[str] = set()
    for number in range(rounds + 1):
        for who, ladder in list(ladders.items()):
            try:
                if who in fast:
                    _warm(ladder)
                begin = time.perf_counter()
                ladder()
            except Exception as reason:  # a peer's own fault must not end the comparison
                failed[who] = f"{type(reason).__name__}: {reason}".splitlines()[0][:120]
                del ladders[who]
                continue
            took = time.perf_counter() - begin
            if took < FAST_SECONDS:
                fast.add(who)
            # The first round warms imports, plans and memory pages; what is slow has no use for that.
            if number or took > SLOW_SECONDS:
                seconds[who].append(took)
            if took > SLOW_SECONDS:
                del ladders[who]
    return {who: statistics.median(s) * 1000 for who, s in seconds.items() if s}, failed


def _warm(ladder):
    """Whoever ran before leaves other contents in the caches, and cores asleep that a second thread needs."""
    end = time.perf_counter() + WARM_SECONDS
    while time.perf_counter() < end:
        ladder()


def each_wavelength(jobs, rounds):
    """By wavelength: ms of filters that are exact there, and ours with its share of the forward transform."""
    record, who = PERTURBATIONS["lowpass"], dict(jobs.lowpass())
    shared, result = Shared(jobs.view), {}
    for severity in record.severities:
        reference = exact(jobs.view, severity)
        near = {name: one for name, one in who.items() if np.abs(_or_nothing(one, severity) - reference).max() <= EXACT}
        near["ours"] = lambda s: apply(record, shared, s, jobs.buffer)
        near["our transform"] = lambda _: forward(shared.pixels)
        seconds = {name: [] for name in near}
        for _ in range(rounds):
            for name, one in near.items():
                begin = time.perf_counter()
                one(severity)
                seconds[name].append(time.perf_counter() - begin)
        ms = {name: statistics.median(each) * 1000 for name, each in seconds.items()}
        ms["ours"] += ms.pop("our transform") / len(record.severities)
        result[record.label(severity)] = ms
    return result


def _or_nothing(one, severity):
    try:
        return np.asarray(one(severity))
    except Exception:  # said once, by compare
        return np.inf


def lowpass_errors(jobs):
    """Largest error against the float64 reference at three wavelengths, by who filtered."""
    who = dict(jobs.lowpass())
    errors = dict.fromkeys(["ours", *who], 0.0)
    from mammo_fixtures import perturb

    for severity in CHECKED_MM:
        reference = exact(jobs.view, severity)
        for name in list(errors):
            try:
                got = perturb(jobs.view, "lowpass", severity).numpy() if name == "ours" else who[name](severity)
            except Exception:  # said once, by compare
                del errors[name]
                continue
            errors[name] = max(errors[name], float(np.abs(np.asarray(got) - reference).max()))
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("peers.json"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--each-wavelength", action="store_true", help="low-pass severities one by one, too")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")
    import cv2

    cv2.setNumThreads(given.threads)
    keep_freed_memory()  # as every pass does; the peers gain by it as we do
    jobs = Jobs(full_size_view())
    wanted = [job for job in given.jobs.split(",") if job in PERTURBATIONS.names]
    errors = lowpass_errors(jobs) if "lowpass" in wanted else {}
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "threads": given.threads,
        "torch": torch.__version__,
        "image_size": list(SHAPE),
        "lowpass_largest_error": errors,
        "jobs": {},
    }
    for job in wanted:
        medians, failed = compare(jobs, job, given.rounds)
        result["jobs"][job] = {"ladder_ms": medians, "not_run": failed}
        _print(job, medians, failed, errors if job == "lowpass" else {})
        given.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if "lowpass" in wanted and given.each_wavelength:
        result["lowpass_each_wavelength_ms"] = each_wavelength(jobs, given.rounds)
        print("\nlowpass, filters that are exact at the wavelength, ms")
        for label, ms in result["lowpass_each_wavelength_ms"].items():
            print(f"  {label}  " + "  ".join(f"{who} {each:.1f}" for who, each in sorted(ms.items(), key=_second)))
        given.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def _second(pair):
    return pair[1]


def _print(job, medians, failed, errors):
    print(f"\n{job}, {len(PERTURBATIONS[job].severities)} severities")
    for who, ms in sorted(medians.items(), key=lambda pair: pair[1]):
        note = (
            f"   largest error {errors[who]:.1e}{'' if errors[who] <= EXACT else ', not exact'}"
            if who in errors
            else ""
        )
        print(f"  {who:<30}{ms:9.1f} ms   {ms / medians['ours']:6.2f} x ours{note}", flush=True)
    for who, reason in failed.items():
        print(f"  {who:<30}not run: {reason}")


if __name__ == "__main__":
    sys.exit(main())

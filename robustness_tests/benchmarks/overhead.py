"""How much longer a core pass takes than its classifier alone, in one process, the two in turn.

    python robustness_tests/benchmarks/overhead.py                                   # the reference, on phantoms
    python robustness_tests/benchmarks/overhead.py --classifier=resnet22 --views=20  # 2944 × 1920, as in screening
    python robustness_tests/benchmarks/overhead.py --classifier=resnet22 --views=600 --cohort=1000 --device=cuda

The pass is the real one: decoding, perturbing, preparing, scoring, keys, store; only universal fields, which are fitted
before it, are left out. The classifier alone then gets exactly the calls that the pass made: as many images in batches
as large, already prepared, on a CPU 16 different ones in turn, and for each gradient that an adversarial perturbation
followed, one forward and backward through the network. On a CPU the two take turns exam by exam, and for gradients
condition by condition, and are compared by CPU time, which other work on the machine changes little while it stays the
same; on a GPU by wall time, all exams at once, so that decoding and copying go on beside it.

What the whole cohort decides – which breasts adversarial perturbations and controls are judged on – is decided on the
whole cohort, and the ratio weighs images and gradients as a pass over all of it would.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

from full_size import full_size_cohort
from resnet22 import load as resnet22

from mammo_fixtures import load_classifier, read_cohort, read_tolerances
from mammo_fixtures.classifiers.inference import Inference
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.universal import UNIVERSAL
from mammo_fixtures.plugin.beside_claims import with_those_beside
from mammo_fixtures.scoring.engines import Work
from mammo_fixtures.scoring.images import follows_gradient
from mammo_fixtures.scoring.one_pass import Pass
from mammo_fixtures.scoring.outlook import outlook
from mammo_fixtures.scoring.readers import Readers
from mammo_fixtures.scoring.score_table import CLEAN
from mammo_fixtures.scoring.shared_memory import possible
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep
from mammo_fixtures.scoring.uploads import pinned
from mammo_fixtures.verdicts.claim import clean_claims, curve_claims, judged_claims, plan

TOLERANCES = Path(__file__).parents[1] / "tolerances.toml"
KINDS = ("holds", "responds", "responds_more")
CUDA = "cuda"
DIFFERENT = 16
"""Images of each shape that the classifier alone gets in turn on a CPU: one, given again, would lie in the cache."""


class Recording(torch.nn.Module):
    """A network that notes the batches it gets, and whether a gradient was wanted."""

    def __init__(self, network):
        super().__init__()
        self.network, self.calls = network, Counter()

    def forward(self, batch):
        self.calls[tuple(batch.shape), torch.is_grad_enabled()] += 1
        return self.network(batch)


class Overhead:
    """A pass in parts, each followed by its classifier's calls alone."""

    def __init__(self, cohort, classifier, conditions, *, device="auto", precision="fp32", batch_size=None, folder):
        self.network = Recording(classifier.network)
        self.inference = Inference(replace(classifier, network=self.network), device=device, precision=precision)
        self.store = Store(Path(folder) / "scores.sqlite")
        self.sweep = Sweep(inference=self.inference, batch_size=batch_size)
        self.one_pass = self._pass(cohort, conditions)
        self.amount = outlook(self.one_pass).amount
        # Their start is no part of a pass that takes hours.
        self.readers = Readers(pinned) if self.on_gpu and possible() else None
        self.seconds = {kind: {"pass": 0.0, "alone": 0.0, "calls": 0} for kind in ("images", "gradients")}
        self._inputs = {}

    @property
    def on_gpu(self):
        return self.inference.device.type == CUDA

    def _pass(self, cohort, conditions):
        # The wrapped network has no fingerprint, which these scores need none of.
        return Pass(cohort=cohort, sweep=self.sweep, conditions=conditions, store=self.store, fingerprint="benchmark")

    def _clock(self):
        if self.on_gpu:
            torch.cuda.synchronize(self.inference.device)
            return time.perf_counter()
        return time.process_time()

    def measure(self, kind, exams):
        """One part of a pass, and the same calls alone: seconds of both.

        A pass decodes and scores a clean view once for all conditions, which the images count: of the gradients' turns,
        each of which does it again, a turn without gradients is taken off.
        """
        wanted = [c for c in self.one_pass.conditions if c != CLEAN and follows_gradient(c) == (kind == "gradients")]
        # A turn takes minutes where a large network is followed.
        turns = [[c] for c in wanted] if kind == "gradients" and not self.on_gpu else [wanted]
        *base, calls = self._turn(exams, [CLEAN]) if len(turns) > 1 else (0.0, 0.0, {})
        for shape, _ in calls:
            self._alone(shape, True, 2)  # a process's first gradients are slower, once
        found, before = self.seconds[kind], dict(self.seconds[kind])
        for turn in turns:
            took, alone, calls = self._turn(exams, [CLEAN, *turn])
            found["pass"] += took - base[0]
            found["alone"] += alone - base[1]
            found["calls"] += sum(n * shape[0] for (shape, grad), n in calls.items() if grad == (kind == "gradients"))
        return found["pass"] - before["pass"], found["alone"] - before["alone"]

    def _turn(self, exams, conditions):
        """Seconds of a pass, and of its calls alone; the calls."""
        part = self._pass(self.one_pass.cohort, conditions)
        part.needs._chosen.update(self.one_pass.needs._chosen)
        part._pipeline.readers = self.readers
        work = Work(
            name=part.name, owner="benchmark", cohort=part.cohort, pipeline=part._pipeline, store=self.store, cells=1
        )
        self.store.begin(part.name, chunks=len(exams), cells=1)
        self.network.calls.clear()
        began = self._clock()
        part._pipeline.run(exams, look_up=lambda keys: {}, keep=work.keep)
        took = self._clock() - began
        calls = dict(self.network.calls)
        for shape, _ in calls:
            self._prepare(shape)
        began = self._clock()
        for (shape, gradient), count in calls.items():
            self._alone(shape, gradient, count)
        return took, self._clock() - began, calls

    def _prepare(self, shape):
        """Batches for the classifier alone."""
        if shape not in self._inputs:
            generator = torch.Generator().manual_seed(0)
            several = range(1 if self.on_gpu else DIFFERENT)
            self._inputs[shape] = [torch.rand(shape, generator=generator).to(self.inference.device) for _ in several]

    def _alone(self, shape, gradient, count):
        batches = self._inputs[shape]
        for number in range(count):
            if gradient:  # of one image, which an ascent moves a little each time
                leaf = batches[0].detach().clone().requires_grad_()
                with torch.enable_grad():
                    torch.autograd.grad(self.network.network(leaf).sum(), leaf)
            else:
                batch = batches[number % len(batches)]
                self.inference.end(self.inference._called(self.network.network, batch), ["alone"] * len(batch))

    def result(self):
        """Ratios, of images, of gradients, and of a pass over the whole cohort."""
        ratio, rates = {}, {}
        for kind, found in self.seconds.items():
            if found["calls"]:
                ratio[kind] = found["pass"] / found["alone"]
                rates[kind] = {name: found[name] / found["calls"] for name in ("pass", "alone")}
        weights = {"images": self.amount.images, "gradients": self.amount.gradients if "gradients" in rates else 0}
        whole = {name: sum(weights[kind] * rates[kind][name] for kind in rates) for name in ("pass", "alone")}
        return {
            "ratio": whole["pass"] / whole["alone"],
            **{f"ratio_{kind}": value for kind, value in ratio.items()},
            **{f"ms_{name}_{kind}": 1000 * rates[kind][name] for kind in rates for name in ("pass", "alone")},
            "measured": {kind: found["calls"] for kind, found in self.seconds.items()},
            "of_the_cohort": weights,
            "compared_by": "wall time" if self.on_gpu else "CPU time",
        }


def core_conditions():
    """What a bare `pytest` scores: of the shipped tolerances, and beside them; but fields fitted to the classifier."""
    tolerances = read_tolerances(TOLERANCES)
    judged = [claim for kind in KINDS for claim in judged_claims(tolerances, kind)]
    claims = [c for c in (*judged, *curve_claims(tolerances), *clean_claims(tolerances)) if c.set == "core"]
    return [c for c in with_those_beside(plan(claims), ()) if c.perturbation != UNIVERSAL.name]


def spread(exams, count):
    """So many exams from all over a cohort."""
    return [exams[number * len(exams) // count] for number in range(min(count, len(exams)))]


class Busy:
    """How busy the GPU was, by nvidia-smi, once a second."""

    def __enter__(self):
        self.seen, self._end = [], threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self):
        query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
        while not self._end.wait(1.0):
            done = subprocess.run(query, capture_output=True, text=True, check=False)
            self.seen += [int(done.stdout)] if done.stdout.strip().isdigit() else []

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    @property
    def percent(self):
        return round(sum(self.seen) / len(self.seen)) if self.seen else None


def measured(options, folder):
    """Figures of the command line's case, as plain data."""
    if options.classifier == "resnet22":
        cohort, classifier = full_size_cohort(folder, options.cohort or max(1, options.views // 4)), resnet22()
    else:
        cohort, classifier = read_cohort("phantoms"), load_classifier(options.classifier)
    conditions = [CLEAN, *core_conditions()[1 :: options.every]]
    overhead = Overhead(
        cohort,
        classifier,
        conditions,
        device=options.device,
        precision=options.precision,
        batch_size=options.batch_size,
        folder=folder,
    )
    exams = spread(cohort.exams, max(1, options.views // 4))
    if overhead.on_gpu or options.classifier != "resnet22":  # whose first call on a CPU is slow like all others
        overhead.measure("images", exams[:3] if overhead.on_gpu else exams[:1])
        overhead.seconds["images"] = {"pass": 0.0, "alone": 0.0, "calls": 0}
    began = time.perf_counter()
    with Busy() if overhead.on_gpu else nullcontext() as busy:
        for part in [exams] if overhead.on_gpu else [[exam] for exam in exams]:
            overhead.measure("images", part)
            print(f"images: {overhead.seconds['images']}", file=sys.stderr, flush=True)
    following = next((c for c in conditions[1:] if follows_gradient(c)), None)
    if following is not None and not options.without_gradients:
        judged = overhead.one_pass.needs.chosen(PERTURBATIONS[following.perturbation].subset)
        chosen = [exam for exam in cohort if any((exam.exam_id, b.side) in judged for b in exam.breasts)]
        overhead.measure("gradients", chosen[:2] if overhead.on_gpu else chosen[:1])
    if overhead.readers is not None:
        overhead.readers.close()
    return overhead.result() | {
        "gpu_busy_percent": busy.percent if busy else None,
        "seconds": round(time.perf_counter() - began, 1),
        "classifier": classifier.name,
        "conditions": len(conditions),
        "views": 4 * len(exams),
        "device": torch.cuda.get_device_name(overhead.inference.device) if overhead.on_gpu else "cpu",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "precision": options.precision,
        "batch": overhead.sweep.batches.size,
        "torch": torch.__version__,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classifier", default="reference", help="resnet22 at 2944 × 1920, or as --mammo-classifier=")
    parser.add_argument("--views", type=int, default=32, help="four an exam")
    parser.add_argument("--cohort", type=int, help="exams at full size, of which the views are taken from all over")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th condition of the plan")
    parser.add_argument("--without-gradients", action="store_true", help="leave out what follows the gradient")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--threads", type=int, help="of torch, on a CPU")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(options, folder), indent=1))


if __name__ == "__main__":
    main()

"""`python -m mammo_fixtures.tests.fuzzing images --cases=100000`: the long run, in processes that may die.

Kinds: images (DICOM and PNG), tables (manifests, score tables, tolerances, regions), classifiers. Ends with
status 1 where a case was neither read right nor refused in one plain line.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from mammo_fixtures.tests.fuzzing.cases import GOOD, KINDS, Outcome, run_case, targets

BLOCK = 1000
STILL_SECONDS = 20.0
"""Without a case finished in this time a process counts as hung, and is ended."""
GROWTH_BYTES = 2**30


def work(kind, seed, first, last):
    """Run cases first … last − 1; a line before and after each tells the parent where it is."""
    with tempfile.TemporaryDirectory() as folder:
        all_targets = targets(kind, Path(folder))
        for target in all_targets:  # imports and tables of decoders come before the memory is measured
            run_case(target, folder, seed=seed + 10**6, case=0)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        for case in range(first, last):
            print(f"begin {case}", flush=True)
            target = all_targets[case % len(all_targets)]
            outcome = run_case(target, folder, seed=seed, case=case)
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
            what = outcome.what
            if grown > GROWTH_BYTES:
                what, before = f"memory grew by {grown / 2**20:.0f} MB", before + grown
            print(f"end {json.dumps([case, target.name, what, outcome.seconds, outcome.rule, grown])}", flush=True)


def block(kind, seed, first, last, results, said):
    """Run a block in a process of its own; where that dies or hangs, note the case and go on behind it.

    A case hangs where it does so twice: on a machine that is out of memory any process may stand still once.
    """
    stood_still = None
    while first < last:
        line = [sys.executable, "-m", __spec__.name, kind, f"--seed={seed}", "--work", str(first), str(last)]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=said)
        os.set_blocking(process.stdout.fileno(), False)
        begun, ended, heard, rest = first - 1, first - 1, time.monotonic(), b""
        while True:
            read = process.stdout.read() or b""
            if read:
                heard = time.monotonic()
            *lines, rest = (rest + read).split(b"\n")
            for text in lines:
                word, _, about = text.decode().partition(" ")
                if word == "begin":
                    begun = int(about)
                elif word == "end":
                    case, name, what, seconds, rule, grown = json.loads(about)
                    ended = case
                    results.append((case, name, Outcome(what, seconds, rule), grown))
            done = process.poll() is not None and not read
            if done or time.monotonic() - heard > STILL_SECONDS:
                break
            time.sleep(0.01)
        if not done:
            process.kill()
        process.wait()
        if begun > ended and not done and stood_still != begun:
            first = stood_still = begun
            continue
        if begun > ended:
            how = f"the process ended with status {process.returncode}" if done else "it hung"
            results.append((begun, "", Outcome(how, 0.0), 0))
        elif process.returncode and done:
            said.seek(0)
            raise SystemExit(f"a worker failed outside a case: {said.read()[-2000:].decode(errors='replace')}")
        first = max(begun, ended) + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=tuple(KINDS))
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", action="store_true", help="outcomes of each target too")
    parser.add_argument("--reasons", type=int, default=12, help="reasons of refusals to print")
    parser.add_argument("--work", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options.kind, options.seed, *options.work)
    counts, rules, wrong, begin = Counter(), Counter(), 0, time.monotonic()
    slowest, most = 0.0, 0
    for first in range(0, options.cases, BLOCK):
        results = []
        with tempfile.TemporaryFile() as said:
            block(options.kind, options.seed, first, min(first + BLOCK, options.cases), results, said)
        for case, name, outcome, grown in results:
            good = outcome.what in GOOD
            counts[name, outcome.what if good else "WRONG"] += 1
            rules[outcome.rule] += outcome.what == "refused"
            slowest, most = max(slowest, outcome.seconds), max(most, grown)
            if not good:
                wrong += 1
                print(f"case {case} {name}: {outcome.what}", flush=True)
    print(f"{options.kind}: {sum(counts.values())} cases of seed {options.seed} in {time.monotonic() - begin:.0f} s")
    print(f"slowest {slowest:.2f} s of CPU time, most growth of a process {most / 2**20:.0f} MB, {wrong} wrong")
    for what in (*GOOD, "WRONG"):
        print(f"{what:8} {sum(count for (_, found), count in counts.items() if found == what)}")
    for (name, what), count in sorted(counts.items()) if options.each else ():
        print(f"{name:32} {what:8} {count}")
    print(f"refused with UnusableInput for {len(rules)} reasons, the commonest of them:")
    for rule, count in rules.most_common(options.reasons):
        print(f"{count:8} {rule}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python robustness_tests/benchmarks/judging.py [curve|million]`: what judging costs, both without an argument.

`curve`: nine AUCs with intervals and paired drops of 1,440 breasts beside the bootstrap that they replace, the AUC of
scikit-learn in 2,000 resamples of the exams (or as many as `--replicates=` says, and then scaled to 2,000). `million`:
a million breasts × nine severities × one reader, read from Parquet and from csv.gz, with time and peak memory of a
process that does nothing else. Exit status 1 where a bound is missed.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mammo_fixtures import ScoreTable, curve
from mammo_fixtures.scoring.score_table import CLEAN, Condition

BREASTS, CANCERS = 1440, 61
SEVERITIES = (0.17, 0.22, 0.33, 0.5, 0.67, 1.0, 2.0, 4.0)
"""With clean nine, as in published readings of low-pass filtered mammograms."""
REPLICATES = 2000
ROUNDS = 50
MOST_MS, LEAST_GAIN = 10.0, 1000.0
MANY = 1_000_000
MOST_S, MOST_GB = 60.0, 4.0
ENDINGS = ("parquet", "csv.gz")
READ = """
import resource, sys, time
from mammo_fixtures import ScoreTable, curve
start = time.perf_counter()
drawn = curve(ScoreTable.read(sys.argv[1]), "lowpass")
assert all(point.drop_low is not None for point in drawn.points), drawn
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def table(breasts, cancers, readers):
    """Readers who differ a little, and cancers that fade with severity."""
    rng = np.random.default_rng(0)
    malignant = rng.permutation(breasts) < cancers
    own = rng.standard_normal((breasts, 1)) + 1.8 * malignant[:, None]
    levels = [
        own - 0.3 * severity * malignant[:, None] + 0.3 * rng.standard_normal((breasts, readers))
        for severity in (0.0, *SEVERITIES)
    ]
    return ScoreTable(
        conditions=(CLEAN, *(Condition("lowpass", severity) for severity in SEVERITIES)),
        readers=tuple(f"seed{reader}" for reader in range(readers)),
        scores=1.0 / (1.0 + np.exp(3.0 - np.stack(levels))),
        exam_id=(np.arange(breasts) // 2).astype(str),
        side=np.where(np.arange(breasts) % 2, "R", "L"),
        malignant=malignant.astype(np.int8),
        subgroup=np.where(malignant, "masses", ""),
        patient_id=np.full(breasts, ""),
    )


def bootstrap_s(scores, replicates):
    """Seconds of so many resamples of the exams, each with the AUC of every condition and reader."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    start = time.perf_counter()
    for _ in range(replicates):
        exams = rng.integers(0, BREASTS // 2, BREASTS // 2)
        breasts = np.concatenate([2 * exams, 2 * exams + 1])
        for condition in scores.scores:
            for reader in range(condition.shape[1]):
                roc_auc_score(scores.malignant[breasts], condition[breasts, reader])
    return time.perf_counter() - start


def read_and_judged(path):
    """Seconds and gigabytes of a process that reads a table and draws its curve."""
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return tuple(map(float, done.stdout.split()))


def write_columns(scores, path):
    """As another program would write it, a condition at a time; our own writer takes a minute for nine million rows."""
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        raise SystemExit("the table of many breasts is written by pyarrow: pip install -e .[parquet]") from None

    breasts = len(scores.exam_id)
    parts = [
        pa.table(
            {
                "exam_id": scores.exam_id, "side": scores.side, "malignant": scores.malignant,
                "subgroup": scores.subgroup, "perturbation": [condition.perturbation] * breasts,
                "severity": np.full(breasts, condition.severity), "reader": scores.readers * breasts,
                "score": by_breast[:, 0],
            }
        )
        for condition, by_breast in zip(scores.conditions, scores.scores, strict=True)
    ]  # fmt: skip
    whole = pa.concat_tables(parts)
    if path.suffix == ".parquet":
        pa.parquet.write_table(whole, path)
        return
    with pa.CompressedOutputStream(path, "gzip") as file:
        pa.csv.write_csv(whole, file, pa.csv.WriteOptions(quoting_style="needed"))


def curve_beside_its_bootstrap(readers, replicates):
    """Whether both bounds hold, and the line that says so."""
    scores = table(BREASTS, CANCERS, readers)
    curve(scores, "lowpass")
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        curve(scores, "lowpass")
        times.append(time.perf_counter() - start)
    took, resampled = statistics.median(times), bootstrap_s(scores, replicates)
    gain = resampled * REPLICATES / replicates / took
    scaled = "" if replicates == REPLICATES else f", which makes {resampled * REPLICATES / replicates:.0f} s of 2,000"
    print(
        f"curve, {BREASTS} breasts, {1 + len(SEVERITIES)} severities, {readers} reader(s): {1000 * took:.1f} ms; "
        f"{replicates:,} resamples {resampled:.1f} s{scaled}: × {gain:,.0f}",
        flush=True,
    )
    return 1000 * took <= MOST_MS and gain >= LEAST_GAIN


def million_breasts(breasts):
    """Whether both bounds hold, and a line for each kind of file."""
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        whole = table(breasts, breasts // 160, 1)
        for ending in ENDINGS:
            path = Path(folder, f"scores.{ending}")
            write_columns(whole, path)
            seconds, gigabytes = read_and_judged(path)
            print(
                f"{breasts:,} breasts × {1 + len(SEVERITIES)} severities × 1 reader from {ending}: {seconds:.1f} s, "
                f"peak {gigabytes:.2f} GB",
                flush=True,
            )
            holds &= seconds <= MOST_S and gigabytes <= MOST_GB
    return holds


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=("curve", "million"))
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--breasts", type=int, default=MANY)
    given = parser.parse_args()
    holds = True
    if given.what != "million":
        holds &= curve_beside_its_bootstrap(1, given.replicates)
        holds &= curve_beside_its_bootstrap(5, max(given.replicates // 50, 1))
    if given.what != "curve":
        holds &= million_breasts(given.breasts)
    return int(not holds)


if __name__ == "__main__":
    raise SystemExit(main())

"""Judging against the bootstrap that it replaces, and a million breasts from a file; figures by `judging.py`."""

import sys

import pytest

from mammo_fixtures import curve


@pytest.mark.parametrize("readers", [1, 5])
def test_a_curve_against_its_bootstrap(readers, benchmark):
    """Nine AUCs with intervals and paired drops, against 2,000 resamples of the exams; the bootstrap takes a minute."""
    pytest.importorskip("sklearn.metrics")
    from judging import BREASTS, CANCERS, LEAST_GAIN, MOST_MS, REPLICATES, ROUNDS, bootstrap_s, table

    scores = table(BREASTS, CANCERS, readers)
    benchmark.pedantic(lambda: curve(scores, "lowpass"), rounds=ROUNDS, warmup_rounds=3)
    # For one reader all are run; for five a fiftieth, which takes a fiftieth of the time.
    replicates = REPLICATES if readers == 1 else REPLICATES // 50
    bootstrap = bootstrap_s(scores, replicates) * REPLICATES / replicates
    took = benchmark.stats.stats.median
    benchmark.extra_info.update(readers=readers, curve_ms=1000 * took, bootstrap_s=bootstrap, gain=bootstrap / took)
    assert 1000 * took <= MOST_MS
    assert bootstrap / took >= LEAST_GAIN


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted in kilobytes on Linux")
@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
def test_a_million_breasts_from_a_file(ending, benchmark, tmp_path):
    """Read into columns, AUC and drops at nine severities, one reader."""
    pytest.importorskip("pyarrow")
    from judging import MANY, MOST_GB, MOST_S, read_and_judged, table, write_columns

    path = tmp_path / f"scores.{ending}"
    write_columns(table(MANY, MANY // 160, 1), path)
    seconds, gigabytes = benchmark.pedantic(lambda: read_and_judged(path), rounds=1)
    benchmark.extra_info.update(seconds=seconds, peak_gb=gigabytes)
    assert seconds <= MOST_S
    assert gigabytes <= MOST_GB

"""The table of claims stands in the order of the tests, whichever worker ended which first."""

import re

from mammo_fixtures.plugin.run import Run
from mammo_fixtures.plugin.tests.gate_folder import TOLERANCES

IDS = ["robustness_tests/test_clean.py::test_clean[clean-all-auc]"] + [
    f"robustness_tests/test_holds.py::test_holds[{n}]" for n in range(5)
]


def test_verdicts_stand_in_the_order_of_collection_whoever_tells_it():
    run = Run(settings=None, tolerances=(), verdicts=[{"test": f"test_holds[{n}]"} for n in (3, 0, 4, 1, 2)])
    try:
        run.verdicts[2:2] = [{"test": "test_clean[clean-all-auc]"}, {"test": "test_of_a_crashed_worker"}]
        for _ in range(2):  # each worker tells it
            run.keep_order(IDS)
        expected = [nodeid.partition("::")[2] for nodeid in IDS] + ["test_of_a_crashed_worker"]
        assert [verdict["test"] for verdict in run.verdicts_in_order] == expected
    finally:
        run.end()


def test_two_workers_show_the_table_of_one(gate):
    tests = TOLERANCES.replace("severities = [0.9]", "severities = [0.9, 0.5, 0.8, 1.2, 1.5]")
    (gate.path / "robustness_tests" / "tolerances.toml").write_text(tests)
    shown = []
    for workers in ((), ("-n", "2")):
        result = gate.runpytest_subprocess("-k", "holds or clean or responds", *workers, timeout=300)
        rows = [re.match(r"(clean|holds|responds) \S+", line) for line in result.stdout.lines]
        shown.append([row[0] for row in rows if row])
    assert len(shown[0]) == 10
    assert shown[0] == shown[1]

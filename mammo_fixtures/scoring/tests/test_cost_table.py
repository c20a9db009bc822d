"""The table of docs/performance.md is what the cost model gives."""

import re
from pathlib import Path

from mammo_fixtures.scoring.cost_model import Amount, Rates, store_bytes

DOCS = Path(__file__).resolve().parents[3] / "docs" / "performance.md"
CONDITIONS, GRADIENTS = 75, 14_400
RATES = (
    (Rates(decode=0.020, perturb=0.0086, classify=0.0128, gradient=0.048), 1),
    (Rates(decode=0.030, perturb=0.051, classify=0.56, gradient=2.0), 1),
    (Rates(decode=0.030, perturb=0.051, classify=0.56, gradient=2.0), 32),
    (Rates(decode=3.6, perturb=0.0003, classify=0.0014, gradient=0.0081, decoders=14), 1),
    (Rates(decode=3.6, perturb=0.0003, classify=0.0014, gradient=0.0081, decoders=14), 8),
)
"""Each with the number of processes; in the order of the table's columns."""


def hours(seconds):
    """As the table has it: two digits."""
    rounded = float(f"{seconds / 3600:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def row(exams):
    amount = Amount(views=4 * exams, images=4 * exams * CONDITIONS, gradients=GRADIENTS)
    gigabytes = store_bytes(scores=2 * exams * CONDITIONS, views=4 * exams) / 1e9
    times = [hours(rates.seconds(amount, processes=processes)) for rates, processes in RATES]
    return [f"{exams:,}", f"{amount.images:,}", f"{gigabytes:.2g}", *times]


def test_the_table_of_costs():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| [\d,]+ \| [\d,]+ \|", line)
    ]
    assert rows == [row(exams) for exams in (200, 1_000, 10_000, 100_000, 1_000_000)]

"""Readers beside classifiers."""

from dataclasses import replace

import numpy as np
import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.verdicts import curve
from mammo_fixtures.verdicts.side_by_side import as_text, of_readers, side_by_side
from mammo_fixtures.verdicts.tests.test_contrasts import table


def test_curves_stand_side_by_side_with_their_own_counts_and_severities():
    runs = table(2.5, readers=3)
    people = replace(
        table(1.0, readers=2), conditions=(*runs.conditions[:2], runs.conditions[2]._replace(severity=1.0))
    )
    people.scores[:, 20:30] = np.nan
    drawn = side_by_side({"people": people, "runs": runs}, "lowpass", subgroup="grains", unit="mm")
    assert drawn["runs"] == curve(runs, "lowpass", subgroup="grains", unit="mm")
    lines = as_text(drawn).splitlines()
    assert [line.split()[0] for line in lines] == ["severity", "clean", "0.50", "1", "2", "malignant/not"]
    assert lines[0].split() == ["severity", "people", "runs"]
    assert lines[3].split()[-1] == "–"
    assert lines[-1].split()[1:] == ["57/720", "60/720"]


def test_some_readers_of_a_table():
    runs = table(2.5, readers=3)
    one = of_readers(runs, ["seed2"])
    assert one.scores.tolist() == runs.scores[:, :, 2:].tolist()
    with pytest.raises(UnusableInput) as refused:
        of_readers(runs, ["seed7"])
    assert str(refused.value) == "site.csv: readers must be some of seed0, seed1, seed2, got 'seed7'; name those"

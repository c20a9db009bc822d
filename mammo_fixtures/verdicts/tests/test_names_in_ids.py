"""Names as test ids keep them: two that an id cannot tell apart are refused, and what `-k` needs is written so."""

import pytest

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.metrics import OperatingPoint
from mammo_fixtures.verdicts import read_tolerances

TABLE = '[[tolerance]]\nclaim = "{}"\nperturbation = "lowpass"\nsubgroup = "{}"\n{}margin = 0.1\nreason = "large"\n'


@pytest.mark.parametrize(
    ("first", "second"),
    [("masses", "Masses"), ("soft tissue", "soft-tissue"), ("density=d", "density_d"), ("腫瘤", "石灰")],
)
def test_subgroups_that_ids_cannot_tell_apart_are_refused(tmp_path, first, second):
    """Only one of them would have a curve."""
    path = tmp_path / "tolerances.toml"
    path.write_text(TABLE.format("holds", first, "") + TABLE.format("responds", second, ""), encoding="utf-8")
    with pytest.raises(UnusableInput) as refused:
        read_tolerances(path)
    assert str(refused.value).startswith("tolerances.toml, table 2: subgroups must differ in what test ids keep")
    assert f"got {second!r} beside {first!r} of tolerances.toml, table 1" in str(refused.value)
    path.write_text(TABLE.format("responds_more", first, f'than = "{second}"\n'), encoding="utf-8")
    with pytest.raises(UnusableInput, match="subgroups must differ"):
        read_tolerances(path)


@pytest.mark.parametrize("score", ["0.4273915839", "1.23456789", "-0.00012345678", "0.5", "12"])
def test_a_threshold_is_what_was_written_to_the_last_digit(score):
    """It may be the score of a breast: rounded, that breast would be called otherwise."""
    point = OperatingPoint.parse(f"score>{score}")
    assert OperatingPoint.parse(point.text).level == point.level == float(score)


@pytest.mark.parametrize("name", [r"masses\n", " masses", r"mas\u202eses", r"masses\u0000", "masses & "])
def test_a_subgroup_that_no_table_can_have_is_refused(tmp_path, name):
    """It would find no breast, and print over several lines."""
    path = tmp_path / "tolerances.toml"
    path.write_text(TABLE.format("holds", name, ""), encoding="utf-8")
    with pytest.raises(UnusableInput, match="table 1: subgroup must be printable text in one line") as refused:
        read_tolerances(path)
    assert str(refused.value).isprintable()

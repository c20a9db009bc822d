"""A name that is nearly right is told, in the case in which it is known."""

import pytest

from mammo_fixtures.verdicts.spelling import nearest


@pytest.mark.parametrize(
    ("name", "known", "prefix", "meant"),
    [
        ("low_pass", ["lowpass", "highpass"], "", "lowpass"),
        ("LOWPASS", ["lowpass", "highpass"], "", "lowpass"),
        ("Mases", ["masses", "Masses"], "", "Masses"),
        ("mases", ["Masses", "masses"], "", "masses"),
        ("zzz", ["lowpass"], "", None),
        ("mammo_sed", ["mammo_seed", "mammo_exams"], "mammo_", "mammo_seed"),
        ("mammo_zzz", ["mammo_seed", "mammo_exams"], "mammo_", None),
        ("", ["lowpass"], "", None),
        ("lowpass", [], "", None),
    ],
)
def test_the_nearest_name(name, known, prefix, meant):
    assert nearest(name, known, prefix=prefix) == (f"; did you mean {meant!r}?" if meant else "")

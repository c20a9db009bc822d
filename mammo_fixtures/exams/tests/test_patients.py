"""One patient id for a whole archive is told, a woman screened all her life is not."""

import pytest

from mammo_fixtures.exams.patients import shared_patient_said


@pytest.mark.parametrize(
    ("patients", "said"),
    [
        (["ANON"] * 200, "one patient_id stands for 200 of 200 exams"),
        (["ANON"] * 5, "one patient_id stands for 5 of 5 exams"),
        (["ANON"] * 60 + [f"p{n}" for n in range(1000)], "one patient_id stands for 60 of 1,060 exams"),
        (["0"] * 100 + ["ANON"] * 50 + ["p1"], "2 patient_ids stand for 150 of 151 exams"),
        (["p1"] * 40 + ["p2"], ""),
        (["p1"] * 4, ""),
        ([""] * 200, ""),
        ([f"p{n // 2}" for n in range(200)], ""),
        ([], ""),
    ],
)
def test_a_patient_with_more_exams_than_anyone_is_told_and_not_named(patients, said):
    # Two breasts of an exam are one exam.
    told = shared_patient_said((f"e{number}", patient) for number, patient in enumerate(patients) for _ in "LR")
    assert told.startswith(said)
    assert bool(told) == bool(said)
    assert "ANON" not in told
    assert not told or "leave patient_id empty in those rows" in told

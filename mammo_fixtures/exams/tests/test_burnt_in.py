"""What a DICOM file says of text in its pixels is noted, for whoever draws them."""

import pytest

from mammo_fixtures.exams.tests.dicom_writer import phantom


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"BurnedInAnnotation": "NO"}, None),
        ({"BurnedInAnnotation": "NO", "RecognizableVisualFeatures": "NO"}, None),
        ({"BurnedInAnnotation": "YES"}, "Burned In Annotation (0028,0301) is YES"),
        ({}, "Burned In Annotation (0028,0301) does not say NO"),
        (
            {"BurnedInAnnotation": "NO", "RecognizableVisualFeatures": "YES"},
            "Recognizable Visual Features (0028,0302) does not say NO",
        ),
    ],
)
def test_what_may_show_who_the_patient_is_is_noted(written, read, attributes, said) -> None:
    assert read(written(phantom(12), bits=12, **attributes)).notes.get("burnt in") == said

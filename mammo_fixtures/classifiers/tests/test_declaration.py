"""What a classifier declares is checked when it is made, once, in one line."""

import math

import pytest

from mammo_fixtures import Classifier, UnusableInput


def network(batch):
    return batch.mean(dim=(1, 2, 3))


def test_four_lines_are_enough():
    classifier = Classifier(network)
    assert (classifier.level, classifier.score, classifier.aggregate) == ("view", "probability", "mean")
    assert (classifier.input_size, classifier.pixel_spacing_mm, classifier.chest_wall) == (None, None, None)
    assert classifier.intensity == (0.0, 1.0)
    with pytest.raises(AttributeError):
        classifier.level = "exam"  # frozen


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"network": 5}, "network must be callable, got 5"),
        ({"level": "breast"}, "level must be 'view' or 'exam', got 'breast'"),
        ({"score": "logits"}, "score must be 'probability' or 'logit', got 'logits'"),
        (
            {"aggregate": "median"},
            "aggregate must be 'mean', 'max' or a function of the scores by position, got 'median'",
        ),
        ({"integers": True}, "integers need the intensity that they range over, such as (0, 4095), got (0.0, 1.0)"),
        ({"missing_views": "zero"}, "missing_views must be 'refuse', 'blank' or 'leave_out', got 'zero'"),
        ({"fit": "crop"}, "fit must be 'resize' or 'pad', got 'crop'"),
        ({"chest_wall": "top"}, "chest_wall must be 'left', 'right' or None, got 'top'"),
        ({"channels": 2}, "channels must be 1 or 3, got 2"),
        ({"input_size": (512,)}, "input_size must be (rows, columns) or None, got (512,)"),
        ({"input_size": (512, 0)}, "input_size must be (rows, columns) or None, got (512, 0)"),
        ({"pixel_spacing_mm": 0.0}, "pixel_spacing_mm must be a positive length in mm or None, got 0.0"),
        ({"pixel_spacing_mm": math.nan}, "pixel_spacing_mm must be a positive length in mm or None, got nan"),
        ({"intensity": (1.0, 1.0)}, "intensity must be two different values, got (1.0, 1.0)"),
        ({"intensity": (0.0, math.inf)}, "intensity must be two different values, got (0.0, inf)"),
        ({"intensity": (0.0, 1.0, 2.0)}, "intensity must be two different values, got (0.0, 1.0, 2.0)"),
        ({"input_size": 512}, "input_size must be (rows, columns) or None, got 512"),
        ({"input_size": (512.5, 512)}, "input_size must be (rows, columns) or None, got (512.5, 512)"),
        ({"intensity": 255}, "intensity must be two different values, got 255"),
        ({"pixel_spacing_mm": "0.07"}, "pixel_spacing_mm must be a positive length in mm or None, got '0.07'"),
        ({"fingerprint": 7}, "fingerprint must be a text, got 7"),
        ({"views": ()}, "views must name at least one view, such as L-CC, got ()"),
        ({"views": ("LCC",)}, "views must name at least one view, such as L-CC, got ('LCC',)"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(declared, said):
    with pytest.raises(UnusableInput) as caught:
        Classifier(**({"network": network, "name": "mine"} | declared))
    assert str(caught.value) == f"classifier mine: {said}"


def test_a_class_is_no_network():
    class Net:
        def __call__(self, batch):
            return network(batch)

    with pytest.raises(UnusableInput, match=r"^classifier: network must be made already, not its class, got <class"):
        Classifier(Net)
    assert Classifier(Net())


def test_a_network_may_expect_its_intensities_upside_down():
    assert Classifier(network, intensity=(255.0, 0.0)).intensity == (255.0, 0.0)

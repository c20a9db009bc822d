"""One score of a breast from the scores of its views."""

from __future__ import annotations

from collections.abc import Mapping

from mammo_fixtures.classifiers.classifier import Classifier, called
from mammo_fixtures.errors import UnusableInput


def aggregated(classifier: Classifier, scores: Mapping[str, float], breast: str) -> float:
    """The breast's score from those of its views by position, `{"CC": 0.2, "MLO": 0.4}`, as the classifier declares.

    `breast` says which, for messages. Raises UnusableInput where a rule of the user's gives no usable score.
    """
    if classifier.aggregate == "mean":
        return sum(scores.values()) / len(scores)
    if classifier.aggregate == "max":
        return max(scores.values())
    assert callable(classifier.aggregate)
    try:
        given = classifier.aggregate(dict(scores))
    except Exception as error:
        raise _bad(classifier, f"it raised {type(error).__name__}: {error}", scores, breast) from error
    try:
        number = complex(given)  # float would drop an imaginary part
        if number.imag or isinstance(given, str):
            raise TypeError
        score = number.real
    except (TypeError, ValueError, RuntimeError):
        raise _bad(classifier, f"it gave {type(given).__name__}", scores, breast) from None
    least, most = (0.0, 1.0) if classifier.score == "probability" else (-1e300, 1e300)
    if not least <= score <= most:
        raise _bad(classifier, f"it gave {score:.9g}", scores, breast)
    return score


def _bad(classifier: Classifier, got: str, scores: Mapping[str, float], breast: str) -> UnusableInput:
    kind = "a probability in [0, 1]" if classifier.score == "probability" else "a finite logit"
    return UnusableInput(
        f"{called(classifier.name)}: the aggregate rule must give {kind}, {got} for {breast} from "
        f"{', '.join(f'{position} {score:.6g}' for position, score in scores.items())}; correct the rule"
    )

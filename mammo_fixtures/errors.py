"""The one exception family for inputs that cannot be used."""

from __future__ import annotations

LONGEST_WORD = 300
LONGEST_MESSAGE = 1500


class UnusableInput(ValueError):
    """An input breaks a rule; the message says what, rule, got, where and remedy in one line.

    What it repeats of a file is printable and short, whatever the file holds: a terminal and a log are safe from it.
    """

    def __init__(self, message: str) -> None:
        line = " ".join(_shortened(word, LONGEST_WORD) for word in message.split())
        super().__init__(_shortened(printable(line), LONGEST_MESSAGE))


class ClassifierRaised(UnusableInput):
    """Code of the classifier raised; the cause and its traceback are for its author."""


def printable(text: str) -> str:
    """A line of text that no terminal obeys: what is not printable is spelled out."""
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _shortened(text: str, longest: int) -> str:
    """The middle gives way: what is wrong stands first, the remedy last."""
    return text if len(text) <= longest else f"{text[: longest // 2]} … {text[-longest // 2 :]}"

"""The one exception family for inputs that cannot be used."""

from __future__ import annotations


class UnusableInput(ValueError):
    """An input breaks a rule; the message says what, rule, got, where and remedy in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

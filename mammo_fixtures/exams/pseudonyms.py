"""Names for exams and patients that only who holds a site's secret can trace back."""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

from mammo_fixtures.errors import UnusableInput

SHORTEST_KEY_BYTES = 16
_ID_DIGITS, _CHECK_DIGITS = 16, 4
_FORM = re.compile(f"[xp][0-9a-f]{{{_ID_DIGITS + _CHECK_DIGITS}}}")
HIDDEN = "…"
"""Stands for a path, whose parts often are ids."""


class Pseudonyms:
    """Keyed digests (HMAC-SHA256) in place of ids: the same in every run with the same key.

    A digest without a key would hide nothing: ids are short, and whoever guesses their form hashes all of them. The
    last digits check the others, so that a pseudonym of this key is known again and stays what it is: scores of an
    earlier run can be the baseline of this one.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[tuple[str, str], str] = {}

    @property
    def told(self) -> str:
        """For headers: which key it was, so that two reports can be compared."""
        return f"pseudonyms by key {self._digits('key', 8)}"

    def exam(self, text: str) -> str:
        """The pseudonym of an exam id, `x` and 20 hexadecimal digits; empty stays empty, spaces around it stay."""
        return self._of("x", text)

    def patient(self, text: str) -> str:
        """As of an exam, with `p`; an exam and a patient of one id have different ones."""
        return self._of("p", text)

    def _of(self, kind: str, text: str) -> str:
        found = self._known.get((kind, text))
        if found is None:
            bare = text.strip()
            found = text.replace(bare, self._made(kind, bare)) if bare else text
            self._known[kind, text] = found
        return found

    def _made(self, kind: str, text: str) -> str:
        own = _FORM.fullmatch(text) and text[-_CHECK_DIGITS:] == self._digits(text[:-_CHECK_DIGITS], _CHECK_DIGITS)
        if own:
            return text
        made = kind + self._digits(f"{kind}\x1f{text}", _ID_DIGITS)
        return made + self._digits(made, _CHECK_DIGITS)

    def _digits(self, text: str, count: int) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:count]


def read_key(file: Path | None, environment: str) -> Pseudonyms:
    """By the secret in a file, else in the environment's variable, given as text."""
    remedy = (
        "keep one in a file (--mammo-id-key=FILE) or in the environment (MAMMO_ID_KEY), made by "
        "python -c 'import secrets; print(secrets.token_hex())'"
    )
    try:
        key = (environment.encode() if file is None else file.read_bytes()).strip()
    except OSError as cause:
        raise UnusableInput(
            f"--mammo-id-key={file}: the secret must be a readable file, got {cause.strerror}; {remedy}"
        ) from cause
    if len(key) < SHORTEST_KEY_BYTES:
        where = f"--mammo-id-key={file}" if file else "MAMMO_ID_KEY"
        raise UnusableInput(
            f"--mammo-hash-ids needs the site's secret of at least {SHORTEST_KEY_BYTES} bytes, got {len(key)} in "
            f"{where}; {remedy}; without it, whoever guesses how ids look could find each one"
        )
    return Pseudonyms(key)


def without_paths(text: str, paths: list[str]) -> str:
    """A message without the paths that it may repeat, whole or in parts."""
    parts = {part for path in paths for part in (path, *re.split(r"[/\\]|::", path)) if len(part) > 2}
    for part in sorted(parts, key=len, reverse=True):
        for form in (part, repr(part)[1:-1]):
            text = text.replace(form, HIDDEN)
    return text

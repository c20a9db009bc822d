"""The ordered registry of perturbations, looked up by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.record import Perturbation


class Registry(tuple[Perturbation, ...]):
    """An ordered tuple of records that also answers to their names."""

    __slots__ = ()

    def __new__(cls, records: Iterable[Perturbation]) -> Registry:
        made = super().__new__(cls, tuple(records))
        names = [record.name for record in made]
        if len(set(names)) != len(names):
            raise ValueError(f"two records share a name: {names}")
        return made

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(record.name for record in self)

    def __getitem__(self, key: object) -> Perturbation:  # type: ignore[override]
        if not isinstance(key, str):
            return tuple.__getitem__(self, key)  # type: ignore[call-overload, no-any-return]
        for record in self:
            if record.name == key:
                return record
        near = difflib.get_close_matches(key, self.names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(self.names)}"
        raise UnusableInput(f"perturbation must be one of the catalogue's, got {key!r}; {hint}")

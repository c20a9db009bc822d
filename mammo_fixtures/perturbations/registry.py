"""The ordered registry of perturbations, looked up by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.record import Perturbation


class Registry(tuple[Perturbation, ...]):
    """An ordered tuple of records that also answers to their names.

    Records `beside` it answer to their names too, but are no part of the catalogue.
    """

    beside: tuple[Perturbation, ...]
    _by_name: dict[str, Perturbation]
    """Looked up for every score of a cohort."""

    def __new__(cls, records: Iterable[Perturbation], *, beside: Iterable[Perturbation] = ()) -> Registry:
        made = super().__new__(cls, tuple(records))
        made.beside = tuple(beside)
        made._by_name = {record.name: record for record in made.every}
        if len(set(made.names)) != len(made.names):
            raise ValueError(f"two records share a name: {made.names}")
        return made

    @property
    def every(self) -> tuple[Perturbation, ...]:
        """The catalogue, then the records beside it."""
        return (*self, *self.beside)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(record.name for record in self.every)

    def place(self, name: str) -> int:
        """Where a record stands among all of them."""
        return self.names.index(name)

    def parts(self, name: str) -> tuple[str, ...]:
        """The records whose scores a record's metrics are made from: itself, or those that it averages over."""
        return self[name].averages or (name,)

    def __getitem__(self, key: object) -> Perturbation:  # type: ignore[override]
        if not isinstance(key, str):
            return tuple.__getitem__(self, key)  # type: ignore[call-overload, no-any-return]
        if key in self._by_name:
            return self._by_name[key]
        near = difflib.get_close_matches(key, self.names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(self.names)}"
        raise UnusableInput(f"perturbation must be one of the catalogue's, got {key!r}; {hint}")

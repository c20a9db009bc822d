"""What must be known before the first exam: whether there is a gradient, and the fields fitted by following it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mammo_fixtures.exams import View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.universal import FOLDS, UNIVERSAL, UniversalFields
from mammo_fixtures.scoring import gradient_check, universal_fit
from mammo_fixtures.scoring.keys import parts_digest
from mammo_fixtures.scoring.leases import leases
from mammo_fixtures.scoring.needs import Needs, Side
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep

_SHARE_WITH_GRADIENT = "share with scaled gradient"
"""What its key in the store says."""
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Preparation:
    """A pass before it begins. What was found out is kept in the store, so that a warm run decodes nothing."""

    needs: Needs
    sweep: Sweep
    store: Store
    pass_name: str
    owner: str
    fingerprint: str
    read: Callable[[ViewSource], View]
    digest: Callable[[ViewSource], bytes]
    """Of a view's pixels."""
    known: Mapping[ViewSource, bytes] = field(default_factory=dict)
    """Digests that can be told without decoding."""
    fitting: universal_fit.Tell = lambda done, wanted: None
    """Told how far the fitting of fields is."""

    def make(self, perturbations: Collection[str]) -> None:
        """Tell needs and sweep what the perturbations of the pass depend on."""
        following = self._following(perturbations)
        if not following:
            return
        reason = gradient_check.refusal(self._share_with_gradient())
        if reason:
            self.needs.refused |= dict.fromkeys(following, reason)
        elif UNIVERSAL.name in following:
            self.sweep.fields = self._fitted_fields()

    def recall(self, perturbations: Collection[str]) -> int:
        """Tell needs and sweep what of it is known, and nothing else; the number of gradients that are still to follow.

        Decodes nothing and computes no gradient.
        """
        following, gradients = self._following(perturbations), 0
        if not following:
            return 0
        chosen = self.needs.chosen(gradient_check.LOOKED_AT)
        known = self._recalled(_SHARE_WITH_GRADIENT, chosen)
        if known is None:
            # One view of a breast is enough, where its gradient is not 0 everywhere.
            gradients += len(chosen)
        elif reason := gradient_check.refusal(known):
            self.needs.refused |= dict.fromkeys(following, reason)
            return 0
        if UNIVERSAL.name in following:
            path = self._fields_path() if self._all_known(self._fitted_on()) else None
            if path is not None and UniversalFields.readable(path):
                self.sweep.fields = UniversalFields.read(path)
            else:
                gradients += universal_fit.FIT_STEPS * len(self._examples())
        return gradients

    def _following(self, perturbations: Collection[str]) -> set[str]:
        following = {name for name in perturbations if PERTURBATIONS[name].needs == "gradient"}
        # Fields that another classifier was fitted with need no gradient of this one.
        return following - ({UNIVERSAL.name} if self.sweep.fields is not None else set())

    def _all_known(self, chosen: Collection[Side]) -> bool:
        """Whether the key of something found out from some breasts can be told without decoding."""
        return all(
            source in self.known
            for exam in self.needs.cohort
            for breast in exam.breasts
            if (exam.exam_id, breast.side) in chosen
            for source in self.sweep.unit(exam, breast)
        )

    def _recalled(self, purpose: str, chosen: Collection[Side]) -> float | None:
        if not self._all_known(chosen):
            return None
        key = self._key(purpose, chosen)
        return self.store.scores([key]).get(key)

    def _examples(self) -> list[universal_fit.Example]:
        return [one for fold in range(FOLDS) for one in universal_fit.examples_of(fold, self.needs)]

    def _fitted_on(self) -> set[Side]:
        return {(source.exam_id, source.side) for one in self._examples() for source in one.sources}

    def _fields_path(self) -> Path:
        """Where the fields lie that were fitted to this classifier on this cohort."""
        key = self._key(f"universal fields {universal_fit.FIT_VERSION}", self._fitted_on())
        return self.store.path.parent / "universal" / f"{key.hex()}.safetensors"

    def _share_with_gradient(self) -> float:
        key = self._key(_SHARE_WITH_GRADIENT, self.needs.chosen(gradient_check.LOOKED_AT))
        if key not in (known := self.store.scores([key])):
            share = gradient_check.share_with_gradient(self.sweep.inference, self.needs, self.read)
            self.store.keep([(key, share)])
            known = self.store.scores([key])
        return known[key]

    def _fitted_fields(self) -> UniversalFields:
        """Fitted once by one process; the others wait for its file."""
        path = self._fields_path()
        name = f"{self.pass_name} universal fields"
        self.store.begin(name, chunks=1, cells=0)
        with leases(self.store, name, self.owner):
            while self.store.unfinished(name):
                if self.store.claim(name, self.owner) is None:
                    time.sleep(_POLL_SECONDS)
                    continue
                if not UniversalFields.readable(path):
                    universal_fit.fit(self.sweep.inference, self.needs, self.read, self.fitting).write(path)
                self.store.finish(name, 0)
        return UniversalFields.read(path)

    def _key(self, purpose: str, chosen: Collection[Side]) -> bytes:
        """Of something that was found out from some breasts' views and labels."""
        parts = [purpose.encode(), self.fingerprint.encode(), str(self.needs.seed).encode()]
        for exam in self.needs.cohort:
            for breast in exam.breasts:
                if (exam.exam_id, breast.side) in chosen:
                    parts += [self.digest(source) for source in self.sweep.unit(exam, breast)]
                    parts.append(f"{exam.exam_id}|{breast.side}|{breast.malignant}".encode())
        return parts_digest(parts)

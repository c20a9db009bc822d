"""What must be known before the first exam: whether there is a gradient, and the fields fitted by following it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from mammo_fixtures.exams import View
from mammo_fixtures.exams.cohort import ViewSource
from mammo_fixtures.perturbations import PERTURBATIONS
from mammo_fixtures.perturbations.universal import FOLDS, UNIVERSAL, UniversalFields
from mammo_fixtures.scoring import gradient_check, universal_fit
from mammo_fixtures.scoring.keys import parts_digest
from mammo_fixtures.scoring.leases import leases
from mammo_fixtures.scoring.needs import Needs
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.sweep import Sweep

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

    def make(self, perturbations: Collection[str]) -> None:
        """Tell needs and sweep what the perturbations of the pass depend on."""
        following = {name for name in perturbations if PERTURBATIONS[name].needs == "gradient"}
        if self.sweep.fields is not None:
            # Fields that another classifier was fitted with need no gradient of this one.
            following -= {UNIVERSAL.name}
        if not following:
            return
        reason = gradient_check.refusal(self._share_with_gradient())
        if reason:
            self.needs.refused |= dict.fromkeys(following, reason)
        elif UNIVERSAL.name in following:
            self.sweep.fields = self._fitted_fields()

    def _share_with_gradient(self) -> float:
        key = self._key("share with gradient", self.needs.chosen(gradient_check.LOOKED_AT))
        if key not in (known := self.store.scores([key])):
            share = gradient_check.share_with_gradient(self.sweep.inference, self.needs, self.read)
            self.store.keep([(key, share)])
            known = self.store.scores([key])
        return known[key]

    def _fitted_fields(self) -> UniversalFields:
        """Fitted once by one process; the others wait for its file."""
        examples = [one for fold in range(FOLDS) for one in universal_fit.examples_of(fold, self.needs)]
        chosen = {(source.exam_id, source.side) for one in examples for source in one.sources}
        key = self._key(f"universal fields {universal_fit.FIT_VERSION}", chosen)
        path = self.store.path.parent / "universal" / f"{key.hex()}.safetensors"
        name = f"{self.pass_name} universal fields"
        self.store.begin(name, chunks=1, cells=0)
        with leases(self.store, name, self.owner):
            while self.store.unfinished(name):
                if self.store.claim(name, self.owner) is None:
                    time.sleep(_POLL_SECONDS)
                    continue
                if not UniversalFields.readable(path):
                    universal_fit.fit(self.sweep.inference, self.needs, self.read).write(path)
                self.store.finish(name, 0)
        return UniversalFields.read(path)

    def _key(self, purpose: str, chosen: Collection[tuple[str, str]]) -> bytes:
        """Of something that was found out from some breasts' views and labels."""
        parts = [purpose.encode(), self.fingerprint.encode(), str(self.needs.seed).encode()]
        for exam in self.needs.cohort:
            for breast in exam.breasts:
                if (exam.exam_id, breast.side) in chosen:
                    parts += [self.digest(source) for source in self.sweep.unit(exam, breast)]
                    parts.append(f"{exam.exam_id}|{breast.side}|{breast.malignant}".encode())
        return parts_digest(parts)

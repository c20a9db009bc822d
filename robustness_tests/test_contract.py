"""What must be true of classifier, scores and snapshots before any verdict means something."""

import pytest

from mammo_fixtures.plugin.contract import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check, request):
    check(**{name: request.getfixturevalue(name) for name in check.__annotations__ if name != "return"})

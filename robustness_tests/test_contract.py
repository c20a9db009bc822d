"""What must be true of classifier, scores and snapshots before any verdict means something."""

import pytest

from mammo_fixtures.plugin.contract import CHECKS
from mammo_fixtures.plugin.fixtures import one_line


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check, request):
    asked = {name: request.getfixturevalue(name) for name in check.__annotations__ if name != "return"}
    with one_line(request):
        check(**asked)

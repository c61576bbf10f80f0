"""Two people without contacts."""

from __future__ import annotations

import pytest

from tests.support.visits import Visitor


@pytest.fixture
def alice(person: Visitor) -> Visitor:
    return person


@pytest.fixture
def bob(app, make_account) -> Visitor:
    return Visitor(app, make_account("bob")).sign_in()

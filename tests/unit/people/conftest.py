"""Alice and Bob, on an instance of their own."""

from __future__ import annotations

import pytest


@pytest.fixture
def settings(here):
    return here.settings


@pytest.fixture
def alice(here):
    return here.draft().user


@pytest.fixture
def bob(here):
    from webmail.models import User

    return User.create(address="bob@lycee.example", local="bob", domain="lycee.example", name="Bob")

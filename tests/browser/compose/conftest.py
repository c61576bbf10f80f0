"""Settings of Alice and Bob as on their first day: other tests leave a language, a time to undo, a signature behind."""

from __future__ import annotations

import pytest

from deploy.demo import accounts
from deploy.demo.services import Services
from webmail.models import User, WritingIdentity


@pytest.fixture(autouse=True)
def _as_on_the_first_day(demo: Services) -> None:
    with accounts.tables(demo.database):
        people = User.address.in_([accounts.ALICE.address, accounts.BOB.address])
        User.update(language="", preferences=None).where(people).execute()
        alice = User.get(User.address == accounts.ALICE.address)
        WritingIdentity.update(signature=None).where(WritingIdentity.user == alice).execute()

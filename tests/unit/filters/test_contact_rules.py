"""The worker that renews contacts in filters: it does not wait for a server that is away once for each person."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from webmail import preferences
from webmail.filters import own_script, store
from webmail.filters.own_script import ScriptPart
from webmail.filters.rules import contact_rules
from webmail.filters.store import FilterState
from webmail.models import User


@pytest.fixture
def people(here):
    found = [User.create(address=f"p{number}@lycee.example", local=f"p{number}", domain="lycee.example") for number in range(6)]
    for user in found:
        preferences.change(user, contacts_in_filters=contact_rules.STALE)
    return found


@pytest.mark.parametrize(("works", "asked"), [(True, 6), (False, 3)])
def test_it_stops_where_nothing_answers(people, monkeypatch, works, asked):
    tried = []
    monkeypatch.setattr(contact_rules, "renew", lambda user, *_rest: tried.append(user.address) or works)
    monkeypatch.setattr(preferences, "with_roles", lambda account, _user: account)
    contact_rules.sweep(SimpleNamespace(token_key_file="key.pem", sieve="server", account=lambda address: address))
    assert len(tried) == asked


def test_what_nobody_here_understands_is_no_script_of_ours():
    own = own_script.read(own_script.text_of([ScriptPart("rule", '{"name":1}'), ScriptPart("tomorrow", "{}")]))
    filters, unreadable = store.filters_of(own)
    assert unreadable == 2
    assert not FilterState(filters, unreadable=unreadable).is_ours
    assert not FilterState(filters, edited=True).is_ours
    assert FilterState(filters).is_ours

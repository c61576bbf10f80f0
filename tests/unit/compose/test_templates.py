"""Texts written beforehand."""

from __future__ import annotations

import pytest

from webmail.compose import templates
from webmail.compose.drafts.fields import Fields
from webmail.errors import LimitReachedError, NoSuchMessageError
from webmail.models import ReadyText


def text(user, name="Absence", **more):
    one = ReadyText(user=user, name=name, **{"subject": "Your absence", "body": "Dear parents,", **more})
    templates.save(one)
    return one


def test_it_goes_above_what_is_there_and_gives_a_subject_where_there_is_none(alice):
    one = text(alice)
    begun = templates.inserted(Fields(body="\n\n-- \nAlice\n"), one)
    assert (begun.subject, begun.body) == ("Your absence", "Dear parents,\n\n\n-- \nAlice\n")
    answer = templates.inserted(Fields(subject="Re: x", body="typed"), one)
    assert (answer.subject, answer.body) == ("Re: x", "Dear parents,\n\ntyped")


def test_only_an_administrators_is_for_everyone(alice, bob):
    text(alice, shared=True)
    assert templates.usable(bob) == []
    alice.role = "admin"
    alice.save()
    shared = text(alice, "News", shared=True)
    own = text(bob, "Own")
    assert [one.name for one in templates.usable(bob)] == ["Own", "News"]
    assert templates.load(bob, shared.id).name == "News"
    assert templates.mine(bob) == [own]
    alice.role = "person"
    alice.save()
    assert [one.name for one in templates.usable(bob)] == ["Own"]


def test_somebody_elses_is_not_there(alice, bob):
    with pytest.raises(NoSuchMessageError):
        templates.load(bob, text(alice).id)


def test_there_is_an_end_to_how_many(alice, monkeypatch):
    monkeypatch.setattr(templates, "MOST", 1)
    one = text(alice)
    with pytest.raises(LimitReachedError):
        text(alice, "Another")
    templates.save(one)

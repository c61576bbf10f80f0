"""Groups of people of an establishment, as an administrator makes them."""

from __future__ import annotations

from webmail.models import PeopleGroup, User
from webmail.people import groups

DOMAIN = "lycee.example"


def group(name: str, *addresses: str) -> PeopleGroup:
    """A group of these accounts: a new one, or one that a provider has made of who signed in before."""
    made = PeopleGroup.get_or_none(PeopleGroup.domain == DOMAIN, PeopleGroup.name == name) or groups.create(DOMAIN, name)
    groups.add(made, list(User.select().where(User.address.in_(addresses))))
    return made


def group_named(name: str) -> PeopleGroup:
    return groups.find(DOMAIN, name)

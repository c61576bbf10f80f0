"""Groups of people of an establishment, as an administrator makes them."""

from __future__ import annotations

from webmail.models import PeopleGroup, User
from webmail.people import groups

DOMAIN = "lycee.example"


def group(name: str, *addresses: str) -> PeopleGroup:
    """A new group of these accounts."""
    made = groups.create(DOMAIN, name)
    groups.add(made, list(User.select().where(User.address.in_(addresses))))
    return made


def group_named(name: str) -> PeopleGroup:
    return groups.find(DOMAIN, name)

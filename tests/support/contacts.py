"""Contacts made and read past the pages."""

from __future__ import annotations

from dataclasses import replace

from webmail.contacts import contact_list, store
from webmail.contacts.imports import merge
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.models import Contact, User


def new(user: User, name: str, *emails: str, **more: object) -> Contact:
    return store.add(user, replace(ContactDetails(name=name, emails=tuple(map(ContactPoint, emails))), **more))


def group(user: User, name: str, *members: str) -> Contact:
    return store.add(user, ContactDetails(name=name, group=True, members=members))


def names(user: User, words: str = "", **more: object) -> list[str]:
    return [row.name for row in contact_list.listed(user, text=words, **more).rows]


def card(name: str, *lines: str, uid: str = "") -> str:
    return "\n".join(["BEGIN:VCARD", "VERSION:3.0", *([f"UID:{uid}"] if uid else []), f"FN:{name}", *lines, "END:VCARD", ""])


def take(user: User, text: str, **more: bool) -> tuple[merge.ImportPlan, merge.ImportResult]:
    planned = merge.plan(user, text)
    return planned, merge.apply(user, planned, **more)

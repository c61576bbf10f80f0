"""The pages of contacts as one uses them."""

from __future__ import annotations

import io

from tests.support.visits import Page, Visitor
from webmail.database.connection import db
from webmail.models import Contact, User

EDIT = "form.writing"
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:42\r\nFN:Zoé Petit\r\nEMAIL:zoe@x.example\r\nX-KEPT:1\r\nEND:VCARD\r\n"


def add(visitor: Visitor, name: str, *emails: str, **more: object) -> Page:
    fields = {"name": name, "email": list(emails), "email_use": [""] * len(emails), **more}
    return visitor.submit(visitor.get("/contacts/new"), EDIT, action="save", **fields)


def group(visitor: Visitor, name: str, *people: str) -> Page:
    return visitor.submit(visitor.get("/contacts/groups/new"), EDIT, name=name, people="\n".join(people))


def cards_of(visitor: Visitor) -> dict[str, str]:
    with db.connection_context():
        user = User.get(User.address == visitor.address)
        return {row.name: row.vcard for row in Contact.select().where(Contact.user == user)}


def send_file(visitor: Visitor, content: bytes, name: str = "all.vcf") -> Page:
    """The page after choosing a file: what importing it would do."""
    return visitor.submit(visitor.get("/contacts/import"), "form[enctype]", file=(io.BytesIO(content), name))


def import_file(visitor: Visitor, content: bytes, name: str = "all.vcf") -> Page:
    """A file chosen, and imported as it was shown."""
    return visitor.submit(send_file(visitor, content, name), "form[action^='/contacts/import/']", action="import")

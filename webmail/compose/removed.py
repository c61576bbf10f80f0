"""Removed identities, signatures and templates: deletes one and keeps it in the undo store, from where it comes back."""

from __future__ import annotations

import json
from typing import Any

from webmail.compose import identities, signatures, templates
from webmail.config.settings import Settings
from webmail.database import idempotency, undo_store
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import ReadyText, Signature, Table, User, WritingIdentity
from webmail.people import display_names

_OPENING = '{"removed"'
_TABLES: dict[str, tuple[type[Table], int]] = {
    "identity": (WritingIdentity, identities.MOST),
    "signature": (Signature, signatures.MOST),
    "template": (ReadyText, templates.MOST),
}


class CannotPutBackError(Exception):
    """It was removed too long ago, is not this person's, or was put back already."""


def remove(user: User, kind: str, number: int) -> str:
    """Delete one of this person's; returns the name to undo it by, "" if it is gone already (a double click). 1 transaction."""
    table, _ = _TABLES[kind]
    if number >= 2**63:
        return ""
    with db.atomic():
        row = table.get_or_none((table.id == number) & (table.user == user))  # type: ignore[attr-defined]
        used = _users(user, number) if kind == "signature" else []
        if row is None or not idempotency.removed(table, number, user):
            return ""
        steps = {"removed": kind, "row": row.__data__, "used": used}
        return undo_store.keep(user, json.dumps(steps, ensure_ascii=False))


def put_back(user: User, name: str, settings: Settings) -> tuple[str, str]:
    """Store again what was removed under this name, with its id; returns its kind, and its address if it has one.

    An identity is checked as a new one is. Raises CannotPutBackError, LimitReachedError, compose.identities.NotYoursError,
    people.display_names.NameRefusedError: nothing was stored then.
    """
    with db.atomic():
        idempotency.in_turn(user)
        kept = undo_store.take(user, name, _OPENING)
        if kept is None:
            raise CannotPutBackError(name[:40])
        steps = json.loads(kept.steps)
        kind, values = str(steps["removed"]), dict(steps["row"])
        _check(user, kind, values, settings)
        table, most = _TABLES[kind]
        if table.select().where(table.user == user).count() >= most:  # type: ignore[attr-defined]
            raise LimitReachedError(f"{user.address} has {most} of {kind}")
        if table.get_or_none(table.id == values["id"]) is not None:
            del values["id"]  # the database gave it to another row
        number = table.insert(**values).execute()
        if steps["used"]:
            mine = (WritingIdentity.user == user) & WritingIdentity.id.in_(steps["used"]) & WritingIdentity.signature.is_null()
            WritingIdentity.update(signature=number).where(mine).execute()
        return kind, str(values.get("address", ""))


def _users(user: User, signature: int) -> list[int]:
    """The identities that sign with it."""
    mine = (WritingIdentity.user == user) & (WritingIdentity.signature == signature)
    return [row.id for row in WritingIdentity.select(WritingIdentity.id).where(mine)]


def _check(user: User, kind: str, values: dict[str, Any], settings: Settings) -> None:
    """Take from an identity, or from a template, what the person may no longer have; raises if that is all of it."""
    if kind == "template":
        values["shared"] = values["shared"] and user.role == "admin"
    if kind != "identity":
        return
    identities.check(user, values["address"], settings)
    display_names.check(user, values["name"], settings, values["address"])
    if Signature.get_or_none((Signature.id == values["signature"]) & (Signature.user == user)) is None:
        values["signature"] = None
    defaults = (WritingIdentity.user == user) & (WritingIdentity.is_default == True)  # noqa: E712
    values["is_default"] = values["is_default"] and not WritingIdentity.select().where(defaults).exists()

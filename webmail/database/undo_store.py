"""Undo store: keeps the steps to undo an action for an hour, under a random name that the form submits."""

from __future__ import annotations

import secrets
from datetime import timedelta

from webmail.database.connection import db
from webmail.models import Undo, User, now

KEEP = timedelta(hours=1)
_MOST = 5  # per person


def keep(user: User, steps: str) -> str:
    """Store the steps to undo something; returns their name. One transaction, which also deletes expired rows."""
    name = secrets.token_hex(16)
    with db.atomic():
        Undo.delete().where(Undo.created < now() - KEEP).execute()
        Undo.create(id=name, user=user, steps=steps)
        latest = Undo.select(Undo.id).where(Undo.user == user).order_by(Undo.created.desc()).limit(_MOST)
        Undo.delete().where(Undo.user == user, Undo.id.not_in([row.id for row in latest])).execute()
    return name


def load(user: User, name: str, opening: str) -> Undo | None:
    """The row of this name, as `claim` finds it, which stays: for what is undone in several transactions. `forget` it then."""
    mine = (Undo.id == name) & (Undo.user == user)
    return Undo.get_or_none(mine & Undo.steps.startswith(opening) & (Undo.created > now() - KEEP))


def forget(row: Undo) -> None:
    Undo.delete().where(Undo.id == row.id).execute()


def put_back(row: Undo) -> None:
    """Keep again what was claimed, and could not be undone as a whole, as long as it would have been."""
    Undo.create(id=row.id, user=row.user_id, steps=row.steps, created=row.created)


def take(user: User, name: str, opening: str) -> Undo | None:
    """Take (and delete) the row of this name if its steps start with `opening`, which is different for each area. None if it
    expired, is not this person's, or was taken by another click."""
    row = load(user, name, opening)
    return row if row is not None and Undo.delete().where((Undo.id == name) & (Undo.user == user)).execute() else None

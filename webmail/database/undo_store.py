"""What can be taken back for an hour, under a name that a form holds: the rows, whatever they are about."""

from __future__ import annotations

import secrets
from datetime import timedelta

from webmail.database.connection import db
from webmail.models import Undo, User, now

KEEP = timedelta(hours=1)
_MOST = 5  # of one person


def keep(user: User, steps: str) -> str:
    """Keep how to take something back; returns the name to ask for it by. One transaction; what is old goes."""
    name = secrets.token_hex(16)
    with db.atomic():
        Undo.delete().where(Undo.created < now() - KEEP).execute()
        Undo.create(id=name, user=user, steps=steps)
        latest = Undo.select(Undo.id).where(Undo.user == user).order_by(Undo.created.desc()).limit(_MOST)
        Undo.delete().where(Undo.user == user, Undo.id.not_in([row.id for row in latest])).execute()
    return name


def claim(user: User, name: str, opening: str) -> Undo | None:
    """Take what was kept under this name, if its steps begin so: areas tell theirs by that. None for what is old, not this
    person's, or taken by another click."""
    mine = (Undo.id == name) & (Undo.user == user)
    row = Undo.get_or_none(mine & Undo.steps.startswith(opening) & (Undo.created > now() - KEEP))
    return row if row is not None and Undo.delete().where(mine).execute() else None

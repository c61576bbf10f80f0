"""Waiting forms of events: kept while their writers send a file, or look for a time, on another page: some days, under a random
name."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta

from webmail.database.connection import db
from webmail.models import KeptEventForm, User, now

KEPT = timedelta(days=3)  # as long as files that nobody goes on with
MOST = 10  # of one person
_MOST_FIELDS, _LONGEST = 200, 40_000  # and characters of each: the form itself takes no more

Fields = Sequence[tuple[str, str]]


def keep(user: User, path: str, fields: Fields) -> str:
    """Keep what was typed on the form at `path`; returns its name. 1 transaction."""
    bounded = [(key[:100], value[:_LONGEST]) for key, value in fields[:_MOST_FIELDS]]
    name, text = secrets.token_hex(16), json.dumps(bounded, ensure_ascii=False)
    with db.atomic():
        KeptEventForm.delete().where(KeptEventForm.at < now() - KEPT).execute()
        KeptEventForm.create(id=name, user=user, path=path, fields=text)
        latest = KeptEventForm.select(KeptEventForm.id).where(KeptEventForm.user == user)
        ids = [row.id for row in latest.order_by(KeptEventForm.at.desc()).limit(MOST)]
        KeptEventForm.delete().where(KeptEventForm.user == user, KeptEventForm.id.not_in(ids)).execute()
    return name


def load(user: User, name: str) -> tuple[str, list[tuple[str, str]]] | None:
    """Its path and fields; None where it is not there, or not theirs. 1 query."""
    mine = (KeptEventForm.id == name[:40]) & (KeptEventForm.user == user) & (KeptEventForm.at > now() - KEPT)
    row = KeptEventForm.get_or_none(mine)
    return (row.path, [(key, value) for key, value in json.loads(row.fields)]) if row is not None else None


def add(user: User, name: str, field: tuple[str, str]) -> bool:
    """Add a field to it, unless it has it already; False where it is not there. 1 transaction."""
    with db.atomic():
        found = load(user, name)
        if found is None:
            return False
        if field not in found[1]:
            text = json.dumps([*found[1], field], ensure_ascii=False)
            KeptEventForm.update(fields=text).where(KeptEventForm.id == name, KeptEventForm.user == user).execute()
    return True


def put(user: User, name: str, fields: Mapping[str, str]) -> str:
    """Set fields of it, whatever they were; returns its path, "" where it is not there. 1 transaction."""
    with db.atomic():
        found = load(user, name)
        if found is None:
            return ""
        text = json.dumps([*((key, value) for key, value in found[1] if key not in fields), *fields.items()], ensure_ascii=False)
        KeptEventForm.update(fields=text, at=now()).where(KeptEventForm.id == name, KeptEventForm.user == user).execute()
    return found[0]


def forget(user: User, name: str) -> None:
    """Drop the form of this name, if it is theirs. 1 query."""
    KeptEventForm.delete().where(KeptEventForm.id == name[:40], KeptEventForm.user == user).execute()

"""Templates: reusable message texts of a user, and those that administrators share with everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.database.prepared import Prepared, Slot
from webmail.errors import LimitReachedError, NoSuchMessageError
from webmail.models import ReadyText, User

if TYPE_CHECKING:
    from webmail.compose.drafts.fields import Fields

MOST = 200  # per user


def mine(user: User) -> list[ReadyText]:
    return list(ReadyText.select().where(ReadyText.user == user).order_by(ReadyText.name, ReadyText.id))


def are_usable(placeholder: Slot) -> Any:
    """The condition for the user's own and those shared by current administrators, of templates joined with their users."""
    shared = (ReadyText.shared == True) & (User.role == "admin") & (User.active == 1)  # noqa: E712
    return (ReadyText.user == placeholder("user")) | shared


_usable = Prepared(lambda slot: ReadyText.select(ReadyText, User).join(User).where(are_usable(slot)))


def usable(user: User) -> list[ReadyText]:
    """The user's own, then those shared by current administrators, each sorted by name. 1 query."""
    return sorted(_usable(user=user.id), key=lambda one: (one.user_id != user.id, one.name.casefold(), one.id))


def load(user: User, text_id: int) -> ReadyText:
    """A template that the user may use. Raises NoSuchMessageError, also for somebody else's that is not shared."""
    for one in usable(user):
        if one.id == text_id:
            return one
    raise NoSuchMessageError(f"no text {text_id} for {user.address}")


def save(text: ReadyText) -> None:
    """Create or update a template; only administrators can share. Raises LimitReachedError."""
    text.shared = bool(text.shared) and text.user.role == "admin"
    text.body = text.body.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").rstrip()
    text.subject = " ".join(text.subject.split())
    with db.atomic():
        if not text.id:
            in_turn(text.user)
            if ReadyText.select().where(ReadyText.user == text.user).count() >= MOST:
                raise LimitReachedError(f"{text.user.address} has {MOST} texts")
        text.save()


def inserted(fields: Fields, text: ReadyText) -> Fields:
    """The fields with the template's text above the existing text, and its subject if there is none yet."""
    below = fields.body if fields.body.startswith("\n") or not fields.body else f"\n{fields.body}"
    return replace(fields, subject=fields.subject.strip() or text.subject, body=f"{text.body}\n{below}")

"""Own name: a person changes the name that others see, and their main identity with it. What the administrator gave is kept.

`User.name` is what is shown. `User.name_given` is None while that is the administrator's (or a provider's) name; once the person
shows another, it keeps theirs, "" where they gave none.
"""

from __future__ import annotations

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import User, WritingIdentity
from webmail.people import display_names

LONGEST = 190  # characters: the column's length


def given(user: User) -> str:
    """The administrator's name for the account; "" for none."""
    return str(user.name if user.name_given is None else user.name_given)


def change(user: User, typed: str, settings: Settings) -> str | None:
    """Show this name, or the administrator's for an empty one; returns the name before, None where nothing changed.

    The caller asks whether people may (`own_name`). Raises display_names.NameRefusedError. At most 3 queries, and a transaction.
    """
    printable = "".join(c for c in typed if c.isprintable() or c.isspace())
    name, before = " ".join(printable.split())[:LONGEST].strip(), str(user.name)
    name = name or given(user)
    if name == before:
        return None
    display_names.check(user, name, settings, user.address)
    put(user, name, None if name == given(user) else given(user))
    return before


def put(user: User, name: str, name_given: str | None = None) -> None:
    """Store the name and what the administrator gave instead of it. The identity with the account's name and address follows."""
    mine = (
        (WritingIdentity.user == user) & (WritingIdentity.address == user.address.lower()) & (WritingIdentity.name == user.name)
    )
    with db.atomic():
        WritingIdentity.update(name=name).where(mine).execute()
        User.update(name=name, name_given=name_given).where(User.id == user.id).execute()
    user.name, user.name_given = name, name_given

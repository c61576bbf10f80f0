"""Who has signed in before is no newcomer: the cards of a first visit are for accounts that are used later for the first time."""

import json

import peewee as pw

_CARDS = 5
_AT_ONCE = 500


def up(migrator, db):
    accounts = pw.Table("accounts", ("id", "preferences", "spoken")).bind(db)
    query = accounts.select(accounts.id, accounts.preferences).where(accounts.spoken != "").order_by(accounts.id).limit(_AT_ONCE)
    last = 0
    while rows := list(query.where(accounts.id > last).tuples()):
        last = rows[-1][0]
        for number, text in rows:
            if (kept := _read(text)) is not None:
                values = json.dumps({**kept, "first_cards": _CARDS}, ensure_ascii=False)
                accounts.update({accounts.preferences: values}).where(accounts.id == number).execute()


def down(migrator, db):
    """Older code leaves alone what it does not know."""


def _read(text):
    """The preferences of a row; None for what nobody can read, which stays as it is."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None

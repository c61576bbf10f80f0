"""The cards of a first visit: five things worth knowing, shown above the inbox one after the other, once for an account."""

from __future__ import annotations

from webmail import preferences
from webmail.models import User

PAGES = ("getting-around", "searching", "undo", "connect-a-phone", "help")  # of help, that each leads to
ALL = len(PAGES)


def put_away(user: User, card: int) -> None:
    """Show this card (1 to ALL) and those before it no more. Twice is harmless; another window may be further on."""
    done = preferences.for_user(user).first_cards
    if done < card <= ALL:
        preferences.change(user, first_cards=card)

"""User rows as a test looks at them, outside of a request."""

from __future__ import annotations

from webmail.database.connection import db
from webmail.models import User


def user_of(address: str) -> User:
    with db.connection_context():
        found: User = User.get(User.address == address)
    return found

"""Sender lists: the senders whose remote images a user has allowed permanently."""

from __future__ import annotations

from webmail.database.prepared import Prepared
from webmail.models import ImageSender, User

SENDERS_LIMIT = 2000  # per user


_allowed = Prepared(
    lambda slot: (
        ImageSender.select(ImageSender.id)
        .where(ImageSender.user == slot("user"), ImageSender.address == slot("address"))
        .tuples()
    )
)


def is_allowed(user: User, address: str) -> bool:
    return bool(_allowed(user=user.id, address=address))


def allow(user: User, address: str) -> bool:
    """Allow a sender permanently; False if it is not an address, or SENDERS_LIMIT is reached."""
    address = address.strip().lower()
    usable = "@" in address and address.isprintable() and len(address) <= 254
    if not usable or ImageSender.select().where(ImageSender.user == user).count() >= SENDERS_LIMIT:
        return False
    ImageSender.insert(user=user, address=address).on_conflict_ignore().execute()
    return True


def forget(user: User, address: str) -> None:
    ImageSender.delete().where((ImageSender.user == user) & (ImageSender.address == address.strip().lower())).execute()


def image_senders(user: User) -> list[str]:
    """All senders that the user has allowed, sorted by address. 1 query."""
    found = ImageSender.select(ImageSender.address).where(ImageSender.user == user).order_by(ImageSender.address)
    return [row.address for row in found]

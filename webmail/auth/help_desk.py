"""Help desk: who is written to about an account, whether or not the establishment has an address for it."""

from __future__ import annotations

from webmail.auth import account_management
from webmail.config.settings import Settings
from webmail.establishments import establishments


def first_readers(address: str, settings: Settings) -> list[str]:
    """`admin_address` alone; without it those of `readers`: for what is decided for all, whoever's account it is."""
    return [settings.admin_address] if settings.admin_address else readers(address, settings)


def readers(address: str, settings: Settings) -> list[str]:
    """Those who administer the establishment of this account; else `admin_address`; without it the accounts of administrators.

    At most 3 SELECTs. `address`: also what was typed as one, or "".
    """
    desk = establishments.help_desk(address, settings.admin_address)
    return desk or [user.address for user in account_management.administrators(establishments.MOST_ASKED)]

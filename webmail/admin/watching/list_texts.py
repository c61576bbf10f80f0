"""Lists to act on, words: what each is called, what it is for, and what its button does."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _


@dataclass(frozen=True, slots=True)
class ListText:
    """`when`: what the date of a row says; `none`: what stands where nobody is listed."""

    title: str
    about: str
    button: str
    column: str
    when: str
    none: str


def of_lists() -> dict[str, ListText]:
    """By their names, in the order in which pages list them."""
    return {
        "forwards": ListText(
            _("Forwarded mail"), _("Whose mail goes on to another address. If you stop it, it stays in their mailbox here."),
            _("Stop forwarding"), _("To"), _("Until"), _("Nobody forwards their mail, as far as was seen here."),
        ),
        "published": ListText(
            _("Published calendars"), _("Addresses by which anybody who knows them reads a calendar, without an account."),
            _("Stop publishing"), _("Calendar"), _("Last used"), _("No calendar is published."),
        ),
        "app-passwords": ListText(
            _("Unused app passwords"), _("App passwords that nobody has used for a year."),
            _("Revoke"), _("App password"), _("Last used"), _("All app passwords are in use."),
        ),
        "no-recovery": ListText(
            _("No recovery address"), _("Who forgets their password gets in again only with somebody’s help."),
            _("Ask at the next sign-in"), _("Name"), _("Last asked"), _("Everybody has a recovery address."),
        ),
    }  # fmt: skip

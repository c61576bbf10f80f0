"""The words of pages about people: states, refusals, what was done."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.admin.people.changes import Act, ChangeRefusal
from webmail.auth.new_accounts import NewFault
from webmail.models import MailAlias, User
from webmail.people.policies import Policy
from webmail.web.formatting import day_in_full, local


def states() -> dict[str, str]:
    """What a list can be narrowed to, by its word in addresses."""
    return {
        "active": _("Active"),
        "never": _("Never signed in"),
        "disabled": _("Disabled"),
        "ending": _("Ends within 30 days"),
        "removed": _("Deleted, can be restored"),
        "full": _("Over their quota"),
        "nearly": _("Over 90% of their quota"),
        "no-factor": _("Without two-step verification"),
        "no-recovery": _("Without a recovery address"),
        "administrators": _("Administrators"),
    }


def messages_hint(given: Policy) -> str:
    """`given`: what their groups say."""
    most = given.quota_messages
    theirs = _("no limit") if not most else ngettext("%(num)d message", "%(num)d messages", most)
    return _("How many it may hold; 0 for no limit. Empty: as the groups say, which is %(theirs)s.", theirs=theirs)


def sorts() -> dict[str, str]:
    return {
        "address": _("Address"),
        "name": _("Name"),
        "used": _("Room used"),
        "sign-in": _("Last sign-in"),
        "created": _("Newest first"),
    }


def state_of(user: User) -> list[str]:
    """What there is to know of an account in a list, in words."""
    words = []
    if user.removal_due:
        words.append(_("deleted for good on %(day)s", day=day_in_full(local(user.removal_due).date())))
    elif not user.active:
        words.append(_("disabled"))
    elif user.ends_on:
        words.append(_("disabled from %(day)s on", day=day_in_full(local(user.ends_on).date())))
    if user.role != "person":
        words.append(_("administrator"))
    if user.must_change:
        words.append(_("temporary password"))
    return words


def refusal_words(refusal: ChangeRefusal) -> str:
    match refusal:
        case ChangeRefusal.LAST:
            return _("the last administrator stays one")
        case ChangeRefusal.ONESELF:
            return _("you can’t lock yourself out")
        case ChangeRefusal.DIRECTORY:
            return _("the directory decides this")
        case ChangeRefusal.MAIL_SERVER:
            return _("the mail server keeps the accounts here")
        case ChangeRefusal.REMOVED:
            return _("restore the account first")


def fault_words(fault: NewFault) -> str:
    match fault:
        case NewFault.ADDRESS:
            return _("Enter an address such as alice@school.example.")
        case NewFault.DOMAIN:
            return _("This domain is not one of yours.")
        case NewFault.TAKEN:
            return _("This address is in use.")
        case NewFault.RESTS:
            return _("This address was somebody else’s not long ago, so it is not given out again yet.")
        case NewFault.NAME:
            return _("This name is too long.")


def catch_all_words(alias: MailAlias) -> str:
    """Why somebody can't get mail from inside only."""
    return _(
        "All mail for unknown addresses of %(domain)s goes to %(person)s. Give it to somebody else first: see “Domains”.",
        domain=alias.address[1:], person=alias.user.address,
    )  # fmt: skip


def done_words(act: Act, count: int) -> str:
    """What was done to so many."""
    match act:
        case Act.DISABLE:
            return ngettext("%(num)d account disabled.", "%(num)d accounts disabled.", count)
        case Act.ENABLE:
            return ngettext("%(num)d account enabled.", "%(num)d accounts enabled.", count)
        case Act.QUOTA:
            return ngettext("Quota of %(num)d account changed.", "Quota of %(num)d accounts changed.", count)
        case Act.END:
            return ngettext("Last day of %(num)d account changed.", "Last day of %(num)d accounts changed.", count)
        case Act.REMOVE:
            return ngettext("%(num)d account deleted.", "%(num)d accounts deleted.", count)
        case Act.RESTORE:
            return ngettext("%(num)d account restored.", "%(num)d accounts restored.", count)
        case Act.FACTOR:
            return ngettext(
                "%(num)d person must turn on two-step verification.", "%(num)d people must turn on two-step verification.", count
            )
        case Act.NO_FACTOR:
            return ngettext(
                "%(num)d person may do without two-step verification.",
                "%(num)d people may do without two-step verification.",
                count,
            )

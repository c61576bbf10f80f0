"""Labels: translated display names of mailboxes, roles and owners."""

from __future__ import annotations

from flask import g

from webmail.mail import Mailbox, Role
from webmail.people.display_names import Objection
from webmail.web.current import current_user
from webmail.web.formatting import translated as _
from webmail.web.formatting import translated_as as pgettext

# what Dovecot calls the folders that everybody has: of others', the server doesn't say which they are
_STANDARD = {
    "INBOX": Role.INBOX,
    **{role.value.title(): role for role in (Role.DRAFTS, Role.SENT, Role.ARCHIVE, Role.JUNK, Role.TRASH)},
}


def mailbox_label(name: str) -> str:
    """The display name of a mailbox: translated for special-use folders, else the last part of its name."""
    found = g.get("overview") or g.get("beside")  # the folders that the page names, or those of its side bar alone
    mailbox = found.get(name) if found else None
    if mailbox is None:
        return role_label(Role.INBOX) if name == "INBOX" else name.rsplit("/", 1)[-1]
    if mailbox.owner:
        standard = _STANDARD.get(mailbox.label) if mailbox.depth == 0 else None
        label = role_label(standard) if standard else mailbox.label
        return f"{label} ({owner_label(mailbox.owner)})"
    return role_label(mailbox.role) if mailbox.role else mailbox.label


def owner_label(owner: str) -> str:
    """The owner of a shared mailbox: their address, without the domain if it is the user's own."""
    return owner.removesuffix("@" + current_user().address.rpartition("@")[2])


def mailbox_path(mailbox: Mailbox) -> str:
    """A mailbox with its parents, for selection lists: "Archives/2025"."""
    if mailbox.role or mailbox.owner:
        return mailbox_label(mailbox.name)
    top, delimiter, below = mailbox.name.partition(mailbox.delimiter or "/")
    return mailbox_label(top) + delimiter + below


def moment_label(name: str) -> str:
    """The display name of a moment offered by `schedule.choices`."""
    return {"evening": _("This evening"), "tomorrow": _("Tomorrow"), "monday": _("Monday")}[name]


def name_objection(objection: Objection) -> str:
    """Why a name may not be written under, as a sentence for the form."""
    return {
        Objection.COLLEAGUE: _("This is a colleague’s name. Use your own, or ask your administrator."),
        Objection.ADDRESS: _("A name can’t contain somebody else’s address. Type only a name."),
        Objection.ESTABLISHMENT: _("This is your organisation’s name. Ask your administrator to allow it."),
        Objection.ROLE: _("This is the name of a department. Ask your administrator to allow it."),
        Objection.LETTERS: _("A word of this name mixes letters of several alphabets. Type it with letters of one."),
    }[objection]


def role_label(role: Role) -> str:
    """The translated name of a special-use mailbox."""
    match role:
        case Role.INBOX:
            return pgettext("folder", "Inbox")
        case Role.SNOOZED:
            return pgettext("folder", "Snoozed")
        case Role.DRAFTS:
            return pgettext("folder", "Drafts")
        case Role.SENT:
            return pgettext("folder", "Sent")
        case Role.ARCHIVE:
            return pgettext("folder", "Archive")
        case Role.JUNK:
            return pgettext("folder", "Junk")
        case Role.TRASH:
            return pgettext("folder", "Trash")

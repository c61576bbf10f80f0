"""The words of what groups and establishments give, and of what holds for one person."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.admin.people.limits import LimitOrigin, PersonLimit
from webmail.web.formatting import file_size, number


def labels() -> dict[str, str]:
    return {
        "quota_bytes": _("Mailbox, in GB"), "quota_messages": _("Messages in the mailbox"),
        "message_bytes": _("Size of a message, in MB"), "attachment_bytes": _("Size of one attachment, in MB"),
        "recipients_per_hour": _("Recipients in an hour"), "recipients_per_day": _("Recipients in a day"),
        "writes_to": _("They can write to"), "reach": _("Further groups, one per line"), "written_by": _("They get mail from"),
        "forwarding": _("Mail can be forwarded automatically to"), "forwarding_domains": _("Domains"),
        "second_step": _("Two-step verification is required"), "own_services": _("Connected services"),
        "files_by": _("Large files are sent by"),
    }  # fmt: skip


def hideable() -> dict[str, str]:
    return {
        "calendar": _("Calendar, tasks, appointments and polls"), "contacts": _("Contacts"), "transfers": _("Large files"),
        "polls": _("Polls for a date"), "appointments": _("Appointments"), "todo": _("Tasks"),
        "api": _("Scripts"),
    }  # fmt: skip


def service_titles() -> dict[str, str]:
    """Names of makers and programs, which no language translates."""
    return {"google": "Google", "microsoft": "Microsoft", "nextcloud": "Nextcloud", "filesender": "FileSender"}


def limit_labels() -> dict[str, str]:
    """As the page of a person names them, where values have their units."""
    named = {
        "quota_bytes": _("Room for mail"), "message_bytes": _("Size of a message"),
        "attachment_bytes": _("Size of one attachment"), "hidden": _("Hidden from their pages"),
        "services": _("Services they can connect"),
    }  # fmt: skip
    return labels() | named


def value_words(limit: PersonLimit) -> str:
    """What holds, such as "25 MB"."""
    value = limit.value
    match limit.name:
        case "quota_bytes" | "message_bytes" | "attachment_bytes":
            return file_size(value) if value else _("no limit")
        case "quota_messages" | "recipients_per_hour" | "recipients_per_day":
            return number(value) if value else _("no limit")
        case "second_step":
            return _("yes") if value else _("no")
        case "hidden":
            return ", ".join(words for name, words in hideable().items() if name in value) or _("nothing")
        case "services":
            return ", ".join(title for name, title in service_titles().items() if name in value) or _("none")
        case "writes_to" if value == "groups":
            return ngettext("%(num)d group", "%(num)d groups", limit.count)
    named = {"anywhere": _("Anybody"), "inside": _("People in the organisation"), "off": _("Nobody")}
    named |= {"here": _("This webmail"), "filesender": "FileSender"}
    return named.get(value) or _("The organisation and certain domains")


def origin_words(limit: PersonLimit) -> str:
    """Where it comes from."""
    if limit.origin is LimitOrigin.GROUPS:
        return _("from %(groups)s", groups=", ".join(limit.groups))
    if limit.origin is LimitOrigin.ESTABLISHMENT:
        return _("from the establishment")
    return _("own value") if limit.origin is LimitOrigin.OWN else _("setting")

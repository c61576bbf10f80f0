"""Import texts: outcomes, reasons and fields of files of people, in words."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.admin.imports.people_plan import LineOutcome, PlannedPerson
from webmail.auth.providers.titles import provider_title
from webmail.web.formatting import day_in_full, file_size


def field_labels() -> dict[str, str]:
    """What a column may hold, in the order of the choice."""
    return {
        "address": _("Address"), "name": _("Full name"), "given": _("Given name"), "family": _("Family name"),
        "groups": _("Groups or class"), "quota": _("Quota"), "role": _("Role"), "ends": _("Last day"),
        "recovery": _("Recovery address"), "language": _("Language"),
    }  # fmt: skip


def outcome_labels() -> dict[str, str]:
    return {
        LineOutcome.CREATED: _("To create"), LineOutcome.CHANGED: _("To change"), LineOutcome.DISABLED: _("Leaves"),
        LineOutcome.SAME: _("Stays as it is"), LineOutcome.REFUSED: _("Not possible"),
    }  # fmt: skip


def count_labels() -> dict[str, str]:
    """The same over how many there are."""
    return {
        LineOutcome.CREATED: _("to create"), LineOutcome.CHANGED: _("to change"), LineOutcome.DISABLED: _("leaving"),
        LineOutcome.SAME: _("unchanged"), LineOutcome.REFUSED: _("not possible"),
    }  # fmt: skip


def rule_labels() -> dict[str, str]:
    return {
        "given.family": _("given.family"), "gfamily": _("gfamily (initial and family name)"),
        "g.family": _("g.family (initial, full stop, family name)"), "family.given": _("family.given"),
        "family.g": _("family.g (family name, full stop, initial)"),
    }  # fmt: skip


def reason_text(reason: str, detail: str) -> str:
    """Why a line is refused, or what of it is left out."""
    texts = {
        "address": _("“%(text)s” is not an address.", text=detail),
        "not-made": _("No address can be made from “%(text)s”.", text=detail),
        "nobody": _("The line has neither an address nor a name."),
        "name": _("“%(text)s” can’t be a name.", text=detail),
        "twice": _("The person is already on line %(line)s.", line=detail),
        "domain": _("Accounts here can’t have addresses in %(domain)s.", domain=detail),
        "administrator": _("This is an administrator: files don’t change administrators."),
        "allowed": _("The address is already used by another account."),
        "removed": _("The account is to be deleted: restore it first."),
        "rests": _(
            "The address was somebody’s until recently: it is free from %(day)s.", day=_day(detail) if reason == "rests" else ""
        ),
        "reserved": _("The address belongs to a room or another thing."),
        "quota": _("“%(text)s” is not a quota. Write 500 MB or 2 GB.", text=detail),
        "language": _("“%(text)s” is not a language of these pages.", text=detail),
        "ends": _("“%(text)s” is not a date. Write 2027-08-31 or 31/08/2027.", text=detail),
        "ends-past": _("The end date, %(text)s, has passed.", text=detail),
        "recovery": _("“%(text)s” is not an address for recovery.", text=detail),
        "recovery-inside": _("The recovery address must be outside: “%(text)s” is one of yours.", text=detail),
        "group-name": _("“%(text)s” can’t be the name of a group.", text=detail),
        "no-group": _("There is no group called “%(text)s”.", text=detail),
        "role": _("Only administrators of everything can make administrators."),
        "role-kept": _("The role stays: change it on the person’s page."),
        "yourself": _("This is you: a file can’t disable your own account."),
        "directory-person": _("The account comes from %(who)s, which also ends it.", who=provider_title(detail)),
        "directory-name": _("The name comes from %(who)s and stays.", who=provider_title(detail)),
        "directory-quota_bytes": _("The quota comes from %(who)s and stays.", who=provider_title(detail)),
        "directory-group": _("“%(group)s” is given by the directory and stays.", group=detail),
        "formerly": _(
            "This was the address of %(address)s before. If it is the same person, add that address to the file: otherwise they "
            "get a second account.",
            address=detail,
        ),
        "disabled": _("The account is disabled and stays so."),
    }
    return texts.get(reason, reason)


def change_texts(person: PlannedPerson) -> list[str]:
    """What changes for somebody, a sentence each."""
    found = [_value_text(name, person.before.get(name), value) for name, value in person.values.items() if name != "active"]
    if person.values.get("active") == 0:
        found.append(_("is disabled and signed out"))
    found += [_("joins “%(group)s”", group=name) for name in person.join]
    found += [_("leaves “%(group)s”", group=name) for name in person.leave]
    return found


def _value_text(name: str, before: Any, value: Any) -> str:
    label = {
        "name": _("Name"), "quota_bytes": _("Quota"), "language": _("Language"), "recovery_address": _("Recovery address"),
        "ends": _("Last day"), "role": _("Role"),
    }[name]  # fmt: skip
    shown = _displayed(name, value)
    if before in (None, ""):
        return _("%(field)s: %(value)s", field=label, value=shown)
    return _("%(field)s: %(value)s (was %(before)s)", field=label, value=shown, before=_displayed(name, before))


def _displayed(name: str, value: Any) -> str:
    if name == "quota_bytes":
        return file_size(value) if value else _("no limit")
    if name == "ends":
        return _day(value)
    if name == "language":
        return {"fr": "français", "en": "English"}.get(value, value)
    return _("Administrator") if name == "role" else str(value)


def _day(written: str | None) -> str:
    """A day as it is stored, as the reader writes it."""
    return day_in_full(date.fromisoformat(written)) if written else _("none")


def done_text(result: dict[str, Any]) -> str:
    """What an import did, in one or several sentences."""
    told = [
        ngettext("%(num)d person created", "%(num)d people created", result.get("created", 0)) if result.get("created") else "",
        ngettext("%(num)d changed", "%(num)d changed", result.get("changed", 0)) if result.get("changed") else "",
        ngettext("%(num)d leaving", "%(num)d leaving", result.get("disabled", 0)) if result.get("disabled") else "",
    ]
    parts = ", ".join(filter(None, told))
    text = _("Done: %(what)s.", what=parts) if parts else _("Nothing changed.")
    if skipped := result.get("skipped", 0):
        text += " " + ngettext(
            "%(num)d person was left alone, since their account changed meanwhile: %(names)s.",
            "%(num)d people were left alone, since their accounts changed meanwhile: %(names)s.",
            skipped, names=", ".join(result["names"][:5]),
        )  # fmt: skip
    return text


def failed_text(reason: str) -> str:
    return {
        "file-gone": _("The file is no longer available. Choose it again."),
        "no-administrator": _("You are no longer an administrator. The rest was not imported."),
    }.get(reason, "")


def not_a_table(reason: str) -> str:
    """Why a file can't be read."""
    return {
        "spreadsheet": _("This is not a CSV file. In your spreadsheet, choose “Save as”, then CSV."),
        "empty": _("This file has no lines with people."),
        "not-text": _("This is not a CSV file: it isn’t text."),
    }[reason]


def for_lines() -> dict[str, Any]:
    """What pages that show a plan line by line need."""
    return {"reason_text": reason_text, "change_texts": change_texts, "count_labels": count_labels()}

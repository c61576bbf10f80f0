"""Texts of the import pages: what of a file was not understood, what was taken over, and the fields that a column can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.contacts.card_versions import CardVersion
from webmail.contacts.imports.import_report import ImportReport
from webmail.contacts.imports.merge import ImportPlan, ImportResult
from webmail.contacts.views.shared import undo_of
from webmail.mime.formats.address_books import csv_headers
from webmail.mime.formats.address_books.entry import Remark, RemarkKind
from webmail.mime.formats.cards.vcard_import import CardRepair
from webmail.web.notices import notify


def say_taken(planned: ImportPlan, taken: ImportResult, back: str = "") -> None:
    """Notify what was imported, with undo."""
    words = taken_words(len(taken.added), taken.merged, len(planned.present), planned.refused, planned.cut)
    offered = undo_of(list(taken.before), back) if taken.before else None
    notify(words, "caution" if planned.refused else "done", undo=offered)


def say_broken_off(before: list[CardVersion]) -> None:
    """Notify what was imported before it broke off, with undo."""
    if before:
        notify(taken_words(len(before), 0, 0, 0, 0), "caution", undo=undo_of(before))


def undone_words(count: int) -> str:
    return ngettext("Undone for %(num)d contact.", "Undone for %(num)d contacts.", count)


def taken_words(added: int, merged: int, present: int, refused: int, cut: int) -> str:
    told = [
        ngettext("%(num)d contact added.", "%(num)d contacts added.", added) if added else "",
        ngettext("%(num)d contact updated.", "%(num)d contacts updated.", merged) if merged else "",
        ngettext("%(num)d was already there.", "%(num)d were already there.", present) if present else "",
        ngettext("%(num)d could not be read.", "%(num)d could not be read.", refused) if refused else "",
        ngettext("%(num)d picture left out (too large).", "%(num)d pictures left out (too large).", cut) if cut else "",
    ]
    return " ".join(filter(None, told))


def remark_words(remark: Remark) -> str:
    """What was not understood, as a sentence; `one.line` and `one.detail` stand beside it."""
    return {
        RemarkKind.NO_NAME: _("Left out: no name, address or phone number."),
        RemarkKind.TOO_LARGE: _("Left out: this contact is too large."),
        RemarkKind.TOO_MANY: _("Left out: you can have up to %(most)s contacts.", most=remark.detail),
        RemarkKind.UNFINISHED: _("Left out: this card has no end."),
        RemarkKind.MERGED_TOO_LARGE: _("Left out: the contact would become too large."),
        RemarkKind.QUOTES: _("A quotation mark is never closed. Everything from here on was left out."),
        RemarkKind.CHANGE: _("Left out: this entry does not add anyone."),
        RemarkKind.CELLS: _("This row has more cells than there are columns. The rest of it was left out."),
        RemarkKind.COLUMN: _("This field has no place in a contact and was left out."),
        RemarkKind.DATE: _("This is not a date we understand. It was left out."),
        RemarkKind.LINE: _("This line was not understood and was left out."),
        RemarkKind.MEMBER: _("This member of a group is not in the file and was left out."),
        RemarkKind.ADDRESS: _("This does not look like an email address. It is kept as it is."),
        RemarkKind.FETCHED: _("This is stored elsewhere and was left out."),
        RemarkKind.PICTURE: _("A picture could not be made small enough and was left out."),
    }[remark.kind]


def will_words(report: ImportReport) -> list[str]:
    """What importing would do, one sentence each."""
    told = [
        ngettext("%(num)d new contact", "%(num)d new contacts", report.fresh) if report.fresh else "",
        ngettext("%(num)d contact gets more details", "%(num)d contacts get more details", report.changed)
        if report.changed
        else "",
        ngettext("%(num)d is already there", "%(num)d are already there", report.present) if report.present else "",
        ngettext(
            "%(num)d is in the file twice and is added once", "%(num)d are in the file twice and are added once", report.doubled
        )
        if report.doubled
        else "",
        ngettext("%(num)d can’t be imported", "%(num)d can’t be imported", report.refused) if report.refused else "",
    ]
    return [words for words in told if words]


def repair_words(repairs: Mapping[str, int]) -> list[str]:
    """What was put right in the file, one sentence for each kind of fault."""
    old, characters, uid = (repairs.get(kind, 0) for kind in (CardRepair.OLD, CardRepair.CHARACTERS, CardRepair.UID))
    told = [
        ngettext(
            "%(num)d contact in an old format (vCard 2.1) was converted.",
            "%(num)d contacts in an old format (vCard 2.1) were converted.", old,
        ) if old else "",
        ngettext(
            "%(num)d contact had characters that can’t be stored. They were left out.",
            "%(num)d contacts had characters that can’t be stored. They were left out.", characters,
        ) if characters else "",
        ngettext(
            "%(num)d contact had no identifier and got one.", "%(num)d contacts had no identifier and got one.", uid
        ) if uid else "",
    ]  # fmt: skip
    return [words for words in told if words]


def field_choices() -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """(name of the group, (key, label) of its fields): what a column can hold."""
    home, work, other = _("home"), _("work"), _("other")
    parts = {
        "street": _("street"), "street2": _("street, second line"), "pobox": _("PO box"), "code": _("postcode"),
        "city": _("town"), "region": _("region"), "country": _("country"),
    }  # fmt: skip
    return (
        (_("Name"), (
            ("name", _("Full name")), ("given", _("First name")), ("family", _("Last name")), ("middle", _("Middle name")),
            ("prefix", _("Title before the name")), ("suffix", _("Suffix")), ("nickname", _("Nickname")),
            ("maiden", _("Birth name")),
        )),
        (_("Email and phone"), (
            ("email", _("Email")), ("email.home", _("Email (%(use)s)", use=home)), ("email.work", _("Email (%(use)s)", use=work)),
            ("phone", _("Phone")), ("phone.cell", _("Phone (%(use)s)", use=_("mobile"))),
            ("phone.home", _("Phone (%(use)s)", use=home)), ("phone.work", _("Phone (%(use)s)", use=work)),
            ("phone.fax", _("Fax")), ("phone.pager", _("Pager")), ("im", _("Instant messaging")),
        )),
        (_("Work"), (
            ("organisation", _("Organisation")), ("department", _("Department")), ("title", _("Job title")), ("role", _("Role")),
        )),
        *(
            (
                _("Address (%(use)s)", use=words),
                tuple((f"adr.{use}.{part}", f"{label} ({words})") for part, label in parts.items()),
            )
            for use, words in (("home", home), ("work", work), ("", other))
        ),
        (_("More"), (
            ("birthday", _("Birthday")), ("anniversary", _("Anniversary")), ("url", _("Website")),
            ("categories", _("Categories")), ("note", _("Note")), ("gender", _("Gender")),
            ("related.spouse", _("Spouse")), ("related.manager", _("Manager")),
            ("related.assistant", _("Assistant")), (csv_headers.NOTE, _("Note, with the name of the column")),
        )),
    )  # fmt: skip

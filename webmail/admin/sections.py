"""Sections of administration: what stands on its first page and beside all its pages. A new section is one record here."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from webmail.config.settings import Settings
from webmail.handover import access as handover


@dataclass(frozen=True, slots=True)
class Section:
    """`everybody`: of administrators, also those of one establishment; else for those of all alone."""

    endpoint: str
    title: str
    icon: str
    about: str  # a sentence
    everybody: bool = False


def sections(settings: Settings, *, everything: bool) -> list[Section]:
    """Those of an administrator, of all or of one establishment, in their order."""
    known = [
        Section("admin.people", _("People"), "people", _("Accounts: find, make, change, disable, delete."), everybody=True),
        Section("admin.desk", _("Help desk"), "help", _("What people ask for, and your answers."), everybody=True),
        Section(
            "admin.settings",
            _("Settings of the organisation"),
            "home",
            _("Name, logo, announcement, rules, limits, legal pages."),
            True,
        ),
        Section(
            "admin.show_groups",
            _("Groups"),
            "people",
            _("Classes and offices: their people, room, rules and lists."),
            everybody=True,
        ),
        Section(
            "admin.reports",
            _("Reported phishing"),
            "shield",
            _("What people reported as phishing, and where else it came."),
            everybody=True,
        ),
        Section("admin.rooms", _("Rooms and equipment"), "calendar", _("What people can book, and who may.")),
    ]
    known.insert(0, Section("admin.overview_page", _("Overview"), "marks", _("Whether all is well, and what needs a look.")))
    about = _("Forwarded mail, published calendars, unused app passwords: stop several together.")
    known.append(Section("admin.act_lists", _("Lists to act on"), "link", about, everybody=True))
    known.append(Section("admin.audit_log", _("Audit log"), "search", _("Who did what to whom, and when."), everybody=True))
    if handover.is_possible(settings):
        about = _("Who looks after whose mail, and requests that wait for approval.")
        known.append(Section("admin.handovers_page", _("Substitutes and successors"), "people", about, everybody=True))
    known += [
        Section("admin.people_import_form", _("Import people"), "people", _("From a CSV file, with passwords to print."), True),
        Section("admin.school_year", _("New school year"), "study", _("Classes move up, leavers leave, new people come."), True),
    ]
    about = _("Mail, calendars and contacts of somebody, as they were.")
    known.append(Section("admin.restores_page", _("Bring back from a backup"), "people", about, everybody=True))
    about = _("Further addresses of people, and mail for addresses that nobody has.")
    known.append(Section("admin.domains_page", _("Domains"), "inbox", about, everybody=True))
    about = _("Domains, administrators and directory of each.")
    known.append(Section("admin.establishments_page", _("Establishments"), "world", about))
    about = _("Servers, database, certificates, backup, disk: what the doctor found.")
    known.append(Section("admin.checks_page", _("Checks"), "marks", about))
    about = _("Each record that belongs there, and whether it is there.")
    known.append(Section("admin.dns_page", _("DNS"), "world", about))
    about = _("Google, Microsoft, Nextcloud: what is set up, and whether it works.")
    known.append(Section("admin.services_page", _("Connected services"), "world", about))
    if settings.transfers.on:
        about = _("Who stores how much, and reports of abuse.")
        known.append(Section("admin.transfers", _("Everyone’s large files"), "clip", about))
    known.append(
        Section("admin.version_page", _("Version"), "marks", _("Which release this is, and what is new in it."), everybody=True)
    )
    return [one for one in known if everything or one.everybody]

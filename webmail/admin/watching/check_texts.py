"""Names of checks in the reader's language; what is called by a name of its own (IMAP, SMTP, DNS of a domain) stays."""

from __future__ import annotations

from flask_babel import gettext as _


def title(name: str) -> str:
    return _titles().get(name, name)


def _titles() -> dict[str, str]:
    return {
        "Worker": _("Worker"),
        "Outbox": _("Outbox"),
        "System mail": _("Messages of the establishment"),
        "Tasks": _("Long work"),
        "Storage": _("Storage"),
        "Bodies": _("Uploads, downloads and devices"),
        "Uploads, downloads and devices": _("Uploads, downloads and devices"),
        "Database": _("Database"),
        "Database file": _("File of the database"),
        "Database role": _("Role in the database"),
        "Backup": _("Backup"),
        "Clock": _("Clock"),
        "Clocks": _("Clocks"),
        "Time zone": _("Time zone"),
        "Disk": _("Disk"),
        "Uploads folder": _("Folder of uploads"),
        "Translations": _("Translations"),
        "File permissions": _("File permissions"),
        "Cookies": _("Cookies"),
        "Public address": _("Public address"),
        "Proxy in front": _("Web server in front"),
        "Web certificate": _("Certificate of the pages"),
        "Encryption": _("Encryption"),
    }

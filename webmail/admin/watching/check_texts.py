"""Names of checks in the reader's language; what is called by a name of its own (IMAP, SMTP, DNS of a domain) stays."""

from __future__ import annotations

import re

from flask_babel import gettext as _

from webmail.errors import EnglishText


def in_readers_language(text: str) -> str:
    """Words that know their entry of the catalogue, with all that stands in them; others as they are."""
    if not isinstance(text, EnglishText):
        return text
    inside = {name: in_readers_language(value) if isinstance(value, str) else value for name, value in text.values.items()}
    return _(text.entry, **inside)


def as_sentence(text: str) -> str:
    """Below a heading, where a command has it after a colon: with a capital, unless an address or a file begins it."""
    return text[:1].upper() + text[1:] if re.match(r"[^\W\d_]+[ ’,]", text) else text


def title(name: str) -> str:
    """Of a check by the name that commands give it."""
    if name.startswith("Devices, "):
        return _("Devices, %(use)s", use=name.removeprefix("Devices, "))
    if name.startswith("DNS of "):
        return _("DNS of %(domain)s", domain=name.removeprefix("DNS of "))
    if name.startswith("OpenID Connect, "):
        return name
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
        "Sign-in key": _("Key for signing in"),
        "IMAP sign-in": _("Sign-in by IMAP"),
        "IMAP sign-in offered": _("Ways to sign in by IMAP"),
        "IMAP capabilities": _("Capabilities of IMAP"),
        "IMAP search": _("Search by IMAP"),
        "IMAP index": _("Full-text index of IMAP"),
        "SMTP sign-in": _("Sign-in by SMTP"),
        "SMTP sign-in offered": _("Ways to sign in by SMTP"),
        "Sender rights": _("Sender addresses"),
        "SMTP size": _("Largest message of SMTP"),
        "SMTP clock": _("Clock of SMTP"),
        "ManageSieve sign-in": _("Sign-in by ManageSieve"),
        "ManageSieve certificate": _("Certificate of ManageSieve"),
        "Mail programs": _("Mail programs"),
        "Mail passwords": _("Passwords of mail programs"),
        "Mail that arrives": _("Arriving messages"),
        "Forwarding": _("Forwarding"),
        "Automatic replies": _("Automatic replies"),
        "Forged sender": _("Message with a forged sender"),
        "Round trip": _("Message there and back"),
        "Test message": _("Test message"),
        "Devices": _("Devices"),
        "Apple profiles": _("Apple profiles"),
        "Directory": _("Directory"),
        "Directory base": _("Base of the directory"),
        "Directory search": _("Search in the directory"),
        "Directory people": _("People of the directory"),
        "Proxy sign-in": _("Sign-in by a proxy"),
        "Two-step verification": _("Two-step verification"),
        "Malware scanner": _("Malware scanner"),
        "Large files": _("Large files"),
        "Bucket": _("Bucket of files"),
        "Search": _("Search"),
        "Terms of use": _("Terms of use"),
        "Links": _("Links"),
        "Blocklists": _("Blocklists"),
        "Health": _("Health"),
    }

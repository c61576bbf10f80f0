"""Words of connected services: what each is for, what a connection may do, what is wrong with it."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.models import ConnectedService, ServiceState
from webmail.services.providers import CALENDAR, CONTACTS, DRIVE, DRIVE_WRITE, PURPOSES, ServiceProvider
from webmail.services.service_errors import ConsentEndedError, ServiceError, ServiceSetupError, TryLaterError


def about_words(provider: str) -> str:
    """What one has of it, in a sentence."""
    return {
        "google": _("Google Drive, Google Calendar and Google contacts."),
        "microsoft": _("OneDrive, Outlook calendars and contacts."),
        "nextcloud": _("Files on Nextcloud, ownCloud, kDrive or another cloud that uses WebDAV."),
        "filesender": _("Large files sent through your institution’s FileSender."),
    }.get(provider, "")


def choice_words(provider: str) -> dict[str, str]:
    """What one can connect a provider for, by purpose, before anything is written there."""
    if provider == "google":
        return {
            DRIVE: _("Google Drive: only the files that you choose there, and those saved from here"),
            CALENDAR: _("Google Calendar: see and change your events"),
            CONTACTS: _("Google contacts: see and change your contacts"),
        }
    return {
        DRIVE: _("OneDrive: see and read your files"),
        CALENDAR: _("Outlook calendar: see and change your events"),
        CONTACTS: _("Outlook contacts: see and change your contacts"),
    }


def purpose_words(provider: str, purpose: str) -> str:
    """What a right is, as it is asked for or shown."""
    if provider != "google":
        match purpose:
            case "drive-write":
                return _("OneDrive: also save files there")
            case "sites":
                return _("SharePoint: see and read the files of your sites")
            case "sites-write":
                return _("SharePoint: also save files there")
    return choice_words(provider).get(DRIVE if purpose == DRIVE_WRITE else purpose, "")


def rights_words(connection: ConnectedService, provider: ServiceProvider) -> list[str]:
    """What a connection may do, one line each. Empty where the provider knows no rights: a password opens all there is."""
    if not provider.consent:
        return []
    have = [purpose for purpose in PURPOSES if purpose in provider.scopes and provider.allows(connection.scopes, purpose)]
    return list(dict.fromkeys(purpose_words(provider.key, one) for one in have))


def problem_words(connection: ConnectedService, title: str) -> str:
    """Why it does not work, and what to do; "" where it does."""
    if connection.state == ServiceState.WORKS:
        return ""
    return {
        "consent": _("%(title)s no longer gives access: it was taken back there, or has run out. Connect it again.", title=title),
        "password": _("%(title)s refuses the password. Connect it again with a new one.", title=title),
        "unreadable": _("What was kept to open %(title)s can no longer be read. Connect it again.", title=title),
        "lost": _("The last renewal of the access to %(title)s was interrupted. Connect it again.", title=title),
        "client": _(
            "%(title)s does not accept this site at the moment. Your administrator has to correct its settings.", title=title
        ),
    }.get(connection.problem) or _("%(title)s did not answer last time. It is tried again by itself.", title=title)


def error_words(error: ServiceError, title: str) -> str:
    """What came of connecting, or of asking a service."""
    if isinstance(error, ServiceSetupError):
        if error.code == "access_denied":
            return _(
                "You did not agree at %(title)s, or your organisation there does not allow it. Nothing was connected.",
                title=title,
            )
        return _("%(title)s does not accept this site: %(code)s. Tell your administrator.", title=title, code=error.code)
    if isinstance(error, ConsentEndedError):
        return _("The answer of %(title)s came too late or was used already. Try again.", title=title)
    if isinstance(error, TryLaterError):
        return _("%(title)s is busy. Try again in %(seconds)s seconds.", title=title, seconds=error.seconds)
    return _("%(title)s does not answer. Try again later.", title=title)

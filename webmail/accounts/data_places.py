"""Where data is, as the settings say: machines, other services, and what goes to each. Shown to everybody; no secret, no path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from flask_babel import gettext as _

from webmail.config import connected_services
from webmail.config.checks import is_loopback
from webmail.config.settings import Settings


class DataPlace(NamedTuple):
    """`what` is kept there, or goes there; `where`: the name of a host, or words; `outside`: no machine of the establishment."""

    what: str
    where: str
    outside: bool = False


def kept_at(settings: Settings) -> list[DataPlace]:
    """Where what is kept is."""
    found = [
        DataPlace(_("Mail"), _host(settings.imap_host)),
        DataPlace(_("Accounts, calendars, contacts, drafts, settings"), _database(settings)),
        DataPlace(_("Attachments being written, large files, exports"), *_files(settings)),
    ]
    if settings.presentation.backup_place:
        found.append(DataPlace(_("Backups"), settings.presentation.backup_place))
    return found


def sent_to(settings: Settings, language: str) -> list[DataPlace]:
    """Which other services something goes to, in the order in which people meet them."""
    own = settings.presentation.other_services.in_language(language).splitlines()
    return list(dict.fromkeys([*_sent_to(settings), *(DataPlace(line.strip(), "") for line in own if line.strip())]))


def _sent_to(settings: Settings) -> Iterator[DataPlace]:
    for provider in settings.oidc:
        yield DataPlace(_("Signing in with %(title)s", title=provider.title), _host_of(provider.issuer), True)
    if settings.cas:
        yield DataPlace(_("Signing in with %(title)s", title=settings.cas.title), _host_of(settings.cas.url), True)
    if settings.ldap:
        yield DataPlace(_("Passwords, checked by the organisation’s directory"), _host_of(settings.ldap.url))
    if settings.proxy_sign_in:
        yield DataPlace(_("Signing in with %(title)s", title=settings.proxy_sign_in.title), settings.proxy_sign_in.title)
    if settings.sms and settings.sms.url != "console":
        yield DataPlace(_("Codes by text message: the telephone number and the code"), _host_of(settings.sms.url), True)
    yield DataPlace(
        _("Messages that you send"), _("%(host)s, then the servers of those you write to", host=_host(settings.smtp_host))
    )
    if settings.transfers.on and settings.transfers.clamd:
        yield DataPlace(_("Large files, checked for viruses"), _host(settings.transfers.clamd.rpartition(":")[0]))
    if settings.transfers.on and settings.filesender:
        yield DataPlace(_("Large files that FileSender sends, with the addresses they go to"), _host_of(settings.filesender.url))
    if settings.remote_images != "never":
        yield DataPlace(
            _("Images of messages, if you show them"),
            _("the sender’s servers, which see this service’s address and not yours"), True,
        )  # fmt: skip
    if settings.forwarding != "off":
        yield DataPlace(_("Your mail, if you have it forwarded"), _("where you say"), settings.forwarding != "inside")
    if settings.calendar_subscriptions or settings.other_dav_servers:
        yield DataPlace(_("Calendars and contacts, if you connect another server"), _("where you say"), True)
    if chosen := connected_services.chosen(settings.services):
        named = {"google": "Google", "microsoft": "Microsoft", "nextcloud": "Nextcloud", "filesender": "FileSender"}
        what = _("Files, calendars and contacts, if you connect a service and for what you agree to")
        yield DataPlace(what, ", ".join(named[one] for one in chosen), True)
    if settings.video_link:
        yield DataPlace(_("Video meetings, once you open their link"), _host_of(settings.video_link), True)


def _files(settings: Settings) -> tuple[str, bool]:
    if settings.storage != "s3" or settings.s3 is None:
        return _("this machine"), False
    host = _host_of(settings.s3.endpoint) if settings.s3.endpoint else "s3.amazonaws.com"
    return _("%(host)s (object storage, region %(region)s)", host=host, region=settings.s3.region), not is_loopback(host)


def _database(settings: Settings) -> str:
    if settings.database_url.startswith("sqlite"):
        return _("this machine")
    return _host(urlsplit(settings.database_url).hostname or "")


def _host(name: str) -> str:
    return _("this machine") if is_loopback(name) or "/" in name else name


def _host_of(address: str) -> str:
    return _host(urlsplit(address).hostname or "")

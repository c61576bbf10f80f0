"""Instructions for connecting a device: what each kind is called, and its steps as that device names them itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.auth.devices import failures
from webmail.auth.devices.kinds import DeviceKind
from webmail.models import now
from webmail.web.formatting import lazy_text as _l
from webmail.web.formatting import short_date


class KindWords(NamedTuple):
    """`title`: in the list of devices; `name`: of the app password, unless somebody writes another."""

    title: object
    name: object


WORDS: dict[DeviceKind, KindWords] = {
    DeviceKind.IPHONE: KindWords(_l("iPhone or iPad"), _l("My iPhone")),
    DeviceKind.ANDROID: KindWords(_l("Android phone or tablet"), _l("My Android phone")),
    DeviceKind.MAC: KindWords(_l("Mac"), _l("My Mac")),
    DeviceKind.THUNDERBIRD: KindWords(_l("Thunderbird"), _l("Thunderbird")),
    DeviceKind.OUTLOOK: KindWords(_l("Outlook"), _l("Outlook")),
    DeviceKind.EVOLUTION: KindWords(_l("Evolution (GNOME)"), _l("Evolution")),
    DeviceKind.KDE: KindWords(_l("KMail, Kontact (KDE)"), _l("KMail")),
    DeviceKind.OTHER: KindWords(_l("Another device or program"), _l("My device")),
}


class Wanted(NamedTuple):
    """What is set up: what the app password is for, and whether Apple's profile or a picture for Thunderbird carries it."""

    mail: bool
    dav: bool
    profile: bool = False
    picture: bool = False


Steps = Callable[[Wanted], list[str]]


def steps(kind: DeviceKind, wanted: Wanted) -> list[str]:
    """What to do on the device, one after the other."""
    return _STEPS[kind](wanted)


def _iphone(wanted: Wanted) -> list[str]:
    if wanted.profile:
        found = [
            _("Open Settings, and tap “Profile Downloaded” near the top."),
            _("Tap “Install” and type the code of the device."),
        ]
        return [*found, *([_("Open Mail: your messages appear within a minute.")] if wanted.mail else [])]
    found = []
    if wanted.mail:
        found = [
            _("Open Settings, then Apps › Mail › Mail Accounts › Add Account › Other › Add Mail Account."),
            _("Type your name, your address and the password, then choose IMAP and the settings below."),
        ]
    return [*found, *_apple_dav(wanted)]


def _mac(wanted: Wanted) -> list[str]:
    if wanted.profile:
        return [
            _("Open the file that was downloaded."),
            _("Open System Settings › General › Device Management, and double-click the profile."),
            _("Click “Install…” and type the password of the Mac."),
        ]
    found = []
    if wanted.mail:
        found = [
            _("Open System Settings › Internet Accounts › Add Account › Add Other Account › Mail Account."),
            _("Type your name, your address and the password, then the settings below."),
        ]
    return [*found, *_apple_dav(wanted)]


def _apple_dav(wanted: Wanted) -> list[str]:
    if not wanted.dav:
        return []
    return [
        _("Add two more accounts in the same place, “CalDAV” and “CardDAV”, with the address for calendars and contacts below.")
    ]


def _android(wanted: Wanted) -> list[str]:
    """Mail alone: calendars and contacts have a part of their own on the page."""
    if not wanted.mail:
        return []
    install = _("Install Thunderbird from your phone’s app store, and open it.")
    if not wanted.picture:
        return [install, *_other(wanted)]
    return [
        install,
        _(
            "Choose “Import settings”, then “Scan QR code”, and scan the code. Or choose another mail app, and "
            "type the settings below."
        ),
    ]


def _thunderbird(wanted: Wanted) -> list[str]:
    found = []
    if wanted.mail:
        found = [
            _("Open the menu ☰, and choose New account › Email."),
            _("Type your name, your address and the password. Thunderbird finds the servers; if not, type the settings below."),
        ]
    if wanted.dav:
        found.append(_("Then connect the address books and calendars that Thunderbird offers."))
    return found


def _outlook(_wanted: Wanted) -> list[str]:
    return [
        _("Choose File › Add Account. In the new Outlook: Settings › Accounts › Add account."),
        _("Type your address. Under “Advanced options”, tick “Let me set up my account manually”, and choose IMAP."),
        _("Type the password and the settings below."),
    ]


def _evolution(wanted: Wanted) -> list[str]:
    found = [
        _("Choose File › New › Collection Account, type your address, and click “Look Up”."),
        _("Choose what to connect, and type the password when you are asked. If nothing is found, type the settings below."),
    ]
    return found if wanted.mail or wanted.dav else []


def _kde(wanted: Wanted) -> list[str]:
    found = []
    if wanted.mail:
        found = [
            _("In KMail, choose Settings › Add Account."),
            _("Type your name, your address and the password. If the servers are not found, type the settings below."),
        ]
    if wanted.dav:
        found.append(
            _(
                "In Kontact, add a calendar of the kind “DAV groupware resource”, "
                "with the address for calendars and contacts below."
            )
        )
    return found


def _other(wanted: Wanted) -> list[str]:
    return [_("Add an account of the kind IMAP, and type the settings below.")] if wanted.mail else []


_STEPS: dict[DeviceKind, Steps] = {
    DeviceKind.IPHONE: _iphone, DeviceKind.MAC: _mac, DeviceKind.ANDROID: _android, DeviceKind.THUNDERBIRD: _thunderbird,
    DeviceKind.OUTLOOK: _outlook, DeviceKind.EVOLUTION: _evolution, DeviceKind.KDE: _kde, DeviceKind.OTHER: _other,
}  # fmt: skip


def use_words(protocol: str) -> str:
    """What a device signed in for, of app_passwords.USES."""
    words = {
        "imap": _("reading mail"), "smtp": _("sending mail"), "caldav": _("calendars"), "carddav": _("contacts"),
        "api": _("scripts"), failures.DAV: _("calendars and contacts"),
    }  # fmt: skip
    return words.get(protocol, protocol.upper())


def signed_in_words(moment: datetime) -> str:
    """How long ago a device signed in; after an hour, the time or day. Without a full stop: more follows."""
    seconds = max(1, int((now() - moment).total_seconds()))
    if seconds < 60:
        return ngettext("It signed in %(num)d second ago", "It signed in %(num)d seconds ago", seconds)
    if seconds < 3600:
        return ngettext("It signed in %(num)d minute ago", "It signed in %(num)d minutes ago", seconds // 60)
    return _("Last sign-in: %(when)s", when=short_date(moment))


def wrong_password_words(moment: datetime) -> str:
    """How long ago a device tried a wrong password."""
    seconds = max(1, int((now() - moment).total_seconds()))
    if seconds < 60:
        return ngettext(
            "A device tried a wrong password %(num)d second ago", "A device tried a wrong password %(num)d seconds ago", seconds
        )
    return ngettext(
        "A device tried a wrong password %(num)d minute ago", "A device tried a wrong password %(num)d minutes ago", seconds // 60
    )


def downloaded_words(moment: datetime) -> str:
    """The same of the profile."""
    seconds = max(1, int((now() - moment).total_seconds()))
    if seconds < 60:
        return ngettext(
            "The profile was downloaded %(num)d second ago", "The profile was downloaded %(num)d seconds ago", seconds
        )
    if seconds < 3600:
        return ngettext(
            "The profile was downloaded %(num)d minute ago", "The profile was downloaded %(num)d minutes ago", seconds // 60
        )
    return _("The profile was last downloaded: %(when)s", when=short_date(moment))

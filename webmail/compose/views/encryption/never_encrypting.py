"""Never encrypting: somebody for whom messages are not to be encrypted any more: chosen on the writing page, and taken back."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.forms import ComposeForm
from webmail.errors import BadAddressError
from webmail.keys import plain_recipients
from webmail.mime.headers.address_input import parse_addresses
from webmail.web.current import current_user
from webmail.web.notices import notify

_LONGEST = 254  # characters of an address
_SIGNED_TOO = (MessageProtection.BOTH, MessageProtection.SIGNED)


def never_encrypt(form: ComposeForm, typed: str) -> None:
    """Note an address; this message will not be encrypted either, since it goes to them too. It stays signed if it would be."""
    if not (address := _address(typed)):
        return
    if not plain_recipients.add(current_user(), address):
        notify(_("You chose this for too many people already. Remove some on the page “Other people’s keys”."), "caution")
        return
    if form.protection.data != MessageProtection.WHERE_POSSIBLE:
        form.protection.data = MessageProtection.SIGNED if form.protection.data in _SIGNED_TOO else MessageProtection.NOTHING
    notify(_("Messages to %(address)s are not encrypted from now on. Nothing has been sent yet.", address=address), "done")


def encrypt_again(typed: str) -> None:
    if (address := _address(typed)) and plain_recipients.remove(current_user(), address):
        notify(_("Messages to %(address)s can be encrypted again. Nothing has been sent yet.", address=address), "done")


def _address(typed: str) -> str:
    """The address that a button names, "" if it is none of ours."""
    try:
        [one] = parse_addresses(typed if len(typed) <= _LONGEST else "")
    except (BadAddressError, ValueError):
        return ""
    return one.email.lower() if "@" in one.email else ""

"""Security mail: tells a person what was changed about how they sign in, at their own and their recovery address."""

from __future__ import annotations

import logging
from contextlib import suppress
from enum import Enum

from flask import has_request_context, request
from flask_babel import gettext as _

from webmail import system_mail
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import User, now
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import lazy_text as _l
from webmail.web.formatting import long_date, written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)


class SecurityNotice(Enum):
    """What happened: the subject of the mail and its first sentence, in which `%(what)s` is a name."""

    PASSWORD_CHANGED = (_l("Your password was changed"), _l("The password of %(address)s was changed."))
    PASSWORD_RESET = (
        _l("You have a new password"),
        _l("Somebody chose a new password for %(address)s with “Forgotten password”."),
    )
    PHONE_SET = (_l("Your telephone number was changed"), _l("%(what)s is now the telephone number of %(address)s."))
    PHONE_REMOVED = (
        _l("Your telephone number was removed"),
        _l("%(what)s is no longer the telephone number of %(address)s."),
    )
    NEW_SIGN_IN = (
        _l("Sign-in from a new browser"),
        _l("Somebody signed in as %(address)s from a browser that was not known before."),
    )
    SESSION_ELSEWHERE = (
        _l("Your session is in use somewhere else"),
        _l(
            "A session of %(address)s is now also used in another browser and on another network. "
            "If it was not you, somebody has copied it: choose “Sign out everywhere else” under “Devices”."
        ),
    )
    RECOVERY_ADDRESS_SET = (
        _l("Your recovery address was changed"),
        _l("%(what)s is now the recovery address of %(address)s."),
    )
    RECOVERY_ADDRESS_REMOVED = (
        _l("Your recovery address was removed"),
        _l("%(what)s is no longer the recovery address of %(address)s."),
    )
    FACTORS_RESET = (
        _l("Two-step verification was reset"),
        _l(
            "An administrator removed everything that %(address)s had for two-step verification. "
            "Set it up again after signing in."
        ),
    )
    FACTORS_REMOVED = (
        _l("Two-step verification was reset"),
        _l("%(what)s removed everything that %(address)s had for two-step verification. Set it up again after signing in."),
    )
    TEMPORARY_PASSWORD = (
        _l("You were given a temporary password"),
        _l("%(what)s gave %(address)s a temporary password. The old one no longer works, and you are signed out everywhere."),
    )
    DEPUTY_ADDED = (
        _l("You can help colleagues sign in"),
        _l("%(address)s can now help the people in “%(what)s” who can’t sign in: “Help with signing in” in the account menu."),
    )
    DEPUTY_REMOVED = (
        _l("You no longer help colleagues sign in"),
        _l("%(address)s can no longer give temporary passwords to the people in “%(what)s”."),
    )
    VOUCHER_GIVEN = (
        _l("You vouched for a colleague"),
        _l("From the account %(address)s, somebody vouched for %(what)s, who could then sign in without their second step."),
    )
    VOUCHER_USED = (
        _l("You signed in with a colleague’s help"),
        _l("Somebody signed in as %(address)s without the usual second step: %(what)s vouched for them."),
    )
    VOUCHER_REFUSED = (
        _l("A colleague refused to vouch for you"),
        _l(
            "Somebody who knows the password of %(address)s wanted to sign in without the usual second step. "
            "%(what)s was asked to vouch for them and refused."
        ),
    )
    APP_ADDED = (_l("An authenticator app was added"), _l("“%(what)s” can now be used to sign in as %(address)s."))
    APP_REMOVED = (_l("An authenticator app was removed"), _l("“%(what)s” can no longer be used to sign in as %(address)s."))
    MAIL_CODES_ON = (
        _l("Codes by email are turned on"),
        _l("Codes that are sent to %(what)s can now be used to sign in as %(address)s."),
    )
    MAIL_CODES_OFF = (
        _l("Codes by email are turned off"),
        _l("%(address)s no longer has codes by email (%(what)s) for two-step verification."),
    )
    RECOVERY_CODES_MADE = (
        _l("You have new recovery codes"),
        _l("New recovery codes were made for %(address)s. The old codes no longer work."),
    )
    RECOVERY_CODE_USED = (
        _l("A recovery code was used"),
        _l("Somebody used a recovery code of %(address)s. Codes left: %(what)s."),
    )
    SECOND_STEP_GUESSED = (
        _l("Somebody may know your password"),
        _l("Somebody typed the password of %(address)s, then many wrong codes. Nobody got in: change your password now."),
    )
    KEY_ADDED = (_l("A security key was added"), _l("“%(what)s” can now be used to sign in as %(address)s."))
    KEY_REMOVED = (_l("A security key was removed"), _l("“%(what)s” can no longer be used to sign in as %(address)s."))
    KEY_COPIED = (
        _l("There may be a copy of your security key"),
        _l(
            "A sign-in as %(address)s with “%(what)s” was refused: the key’s counter went backwards, which "
            "suggests a copy of the key."
        ),
    )

    APP_PASSWORD_ADDED = (
        _l("A new app password"),
        _l("The app password “%(what)s” was created for %(address)s. A phone or mail program can sign in with it."),
    )
    APP_PASSWORD_REVOKED = (
        _l("An app password was revoked"),
        _l("The app password “%(what)s” of %(address)s was revoked. What used it can no longer sign in."),
    )

    FORWARDING_SET = (
        _l("Your mail is forwarded"),
        _l("All mail for %(address)s is now forwarded to %(what)s."),
    )
    FORWARDING_BY_FILTER = (
        _l("A filter forwards your mail"),
        _l("A filter of %(address)s now forwards mail to %(what)s."),
    )
    FORWARDING_ENDED = (
        _l("Your mail is no longer forwarded"),
        _l("Mail for %(address)s is no longer forwarded to %(what)s."),
    )

    DATA_ASKED = (
        _l("Your data is being exported"),
        _l("Somebody asked for a file with everything that the account %(address)s holds."),
    )
    DELETION_ASKED = (
        _l("You asked for your account to be deleted"),
        _l("Somebody asked for the account %(address)s to be deleted. This can still be withdrawn under “My account”."),
    )
    DELETION_WITHDRAWN = (
        _l("Your account stays"),
        _l("The account %(address)s will not be deleted: the request was withdrawn."),
    )

    PROVIDER_LINKED = (
        _l("Another way to sign in"),
        _l("%(address)s is now connected to %(what)s: anyone who signs in there as you can open your mail."),
    )
    PROVIDER_UNLINKED = (
        _l("A way to sign in was removed"),
        _l("%(address)s is no longer connected to %(what)s. Signing in there no longer opens your mail."),
    )

    SERVICE_CONNECTED = (
        _l("A service was connected"),
        _l("%(what)s is now connected to %(address)s. If it was not you, disconnect it under “Connected services”."),
    )

    KEYRING_MADE = (
        _l("Your messages can be encrypted"),
        _l("Encryption was set up for %(address)s."),
    )
    KEYRING_CHANGED = (
        _l("What opens your encrypted messages was changed"),
        _l("The passphrase, the recovery sheet or a passkey for the encrypted messages of %(address)s was changed."),
    )
    KEYRING_DELETED = (
        _l("Your encryption keys were deleted"),
        _l("All encryption keys of %(address)s were deleted."),
    )
    MAIL_KEY_MADE = (_l("An encryption key was made"), _l("A new encryption key was made for %(address)s: %(what)s."))
    MAIL_KEY_IMPORTED = (_l("An encryption key was imported"), _l("An encryption key was imported for %(address)s: %(what)s."))
    MAIL_KEY_EXPORTED = (
        _l("An encryption key was exported"),
        _l("An encryption key of %(address)s was saved to a file, with its private part: %(what)s."),
    )
    MAIL_KEY_REVOKED = (_l("An encryption key was revoked"), _l("An encryption key of %(address)s was revoked: %(what)s."))
    MAIL_KEY_REMOVED = (_l("An encryption key was deleted"), _l("An encryption key of %(address)s was deleted: %(what)s."))

    @property
    def subject(self) -> str:
        return str(self.value[0])

    def sentence(self, address: str, what: str) -> str:
        return str(self.value[1]) % {"address": address, "what": what}


def tell(
    user: User,
    notice: SecurityNotice,
    what: str = "",
    *,
    browser: str = "",
    network: str | None = None,
    also: tuple[str, ...] = (),
    once: str = "",
    note: str = "",
) -> None:
    """Queue the mail; nothing where the establishment sends none. Never raises. `what`: a name, shown as text.

    `network`: where it was done, if not where this request comes from. `also`: further addresses, such as a recovery address that
    was just replaced. `once`: the same notice under the same key is not sent again. `note`: what to do,
    a lazy text, in place of what is said of changes that people make themselves.
    """
    if settings().system_sender is None:
        return
    addresses = dict.fromkeys([user.address, user.recovery_address, *also])
    try:
        language = system_mail.in_language_of(user, settings())
        with written_in(language):
            dedup = f"{notice.name} {user.id} {once}" if once else ""
            subject, body = notice.subject, _body(user, notice, what, browser, _network() if network is None else network, note)
            for address in filter(None, addresses):
                with suppress(BadAddressError, UnsafeValueError):
                    if row := system_mail.send(address, "security", subject, body, language, dedup):
                        wake_system_mail(row)
    except DATABASE_AWAY as error:
        log.error("%s is not told that %s: %s", user.address, notice.name, error)


def _network() -> str:
    """Where the request comes from; "" at the command line."""
    return (request.remote_addr or "") if has_request_context() else ""


def _body(user: User, notice: SecurityNotice, what: str, browser: str, network: str, note: str) -> str:
    lines = [notice.sentence(user.address, what), "", _("When: %(when)s", when=long_date(now()))]
    if browser:
        lines.append(_("Browser: %(browser)s", browser=browser))
    if network:
        lines.append(_("Network: %(network)s", network=network))
    if note:
        return "\n".join([*lines, "", str(note)])
    lines += ["", _("If this was you, there is nothing to do.")]
    lines.append(_("If it was not, change your password immediately, then sign out and revoke everything you don’t recognise:"))
    lines.append(public_link("auth.show_devices") or settings().name)
    return "\n".join(lines)

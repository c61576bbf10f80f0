"""Password reset notifications: what somebody who asked for a new password is sent, by mail or as a text message, in their
language."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import system_mail
from webmail.auth.providers.titles import password_keeper
from webmail.auth.recovery import password_reset, text_messages
from webmail.auth.recovery.password_reset import Answer, AskedReset, Channel, Sending
from webmail.models import User
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def send(sending: Sending, reset: AskedReset) -> str:
    """Queue the mail, or return the text message, which the caller sends without a database.

    Raises what `system_mail.send` does.
    """
    language = system_mail.in_language_of(sending.user, settings())
    with written_in(language):
        if reset.channel is Channel.SMS:
            return _text(sending, reset)
        subject, body = _letter(sending, reset)
    row = system_mail.send(sending.to, "password", subject, body, language, secret_key=settings().secret_key)
    if row is not None:
        wake_system_mail(row)
    return ""


def reset_text(user: User) -> str:
    """The text message that tells of a new password."""
    with written_in(system_mail.in_language_of(user, settings())):
        words = _("%(place)s: somebody chose a new password for %(address)s.", place=settings().name, address=user.address)
        return " ".join([words, _("If it was not you, ask for help immediately."), *_help()])[: text_messages.LONGEST]


def phone_text(user: User) -> str:
    """The text message to a number that is theirs no more."""
    with written_in(system_mail.in_language_of(user, settings())):
        words = _(
            "%(place)s: this number no longer belongs to the account %(address)s.", place=settings().name, address=user.address
        )
        return " ".join([words, _("If it was not you, ask for help immediately."), *_help()])[: text_messages.LONGEST]


def code_text(code: str) -> str:
    """The text message with a code. Nothing that somebody typed stands in it."""
    minutes = _minutes(password_reset.CODE_LIFE)
    valid = ngettext("It is valid for %(num)d minute.", "It is valid for %(num)d minutes.", minutes)
    begin = _("%(code)s is your code for %(place)s.", code=code, place=settings().name)
    return " ".join([begin, valid, _("Never give it to anyone.")])


def _letter(sending: Sending, reset: AskedReset) -> tuple[str, str]:
    """Subject and text. Both are the same for everybody but for the address, the link and what the establishment says."""
    address, place = sending.user.address, settings().name
    subject = _("Your password for %(place)s", place=place)
    begin = _("Somebody asked for a new password for %(address)s.", address=address)
    ignore = _("If it was not you, ignore this message: your password stays as it is.")
    if sending.answer is not Answer.WAY:
        return subject, "\n".join([begin, "", *_instead(sending), "", ignore])
    link = public_link("auth.show_reset_link", token=reset.token)
    minutes = _minutes(password_reset.LIFE)
    valid = ngettext("It works once, for %(num)d minute.", "It works once, for %(num)d minutes.", minutes)
    lines = [begin, _("Choose it here:"), "", link, "", valid, _("Never give this link to anyone, even if they ask."), "", ignore]
    return subject, "\n".join(lines)


def _text(sending: Sending, reset: AskedReset) -> str:
    if sending.answer is Answer.WAY:
        return code_text(reset.code)
    return " ".join([f"{settings().name}:", *_instead(sending)])[: text_messages.LONGEST]


def _instead(sending: Sending) -> list[str]:
    """Why there is no link, and what to do."""
    if sending.answer is Answer.DISABLED:
        return [_("The account %(address)s is disabled. Ask for help:", address=sending.user.address), *_help()]
    kept = _(
        "The password of %(address)s is managed by %(provider)s: change it there.",
        address=sending.user.address,
        provider=password_keeper(sending.user),
    )
    return [kept, *([url] if (url := settings().support.password_url) else _help())]


def _help() -> list[str]:
    """Where to ask for help: the page and the telephone, or the administrator."""
    here = settings()
    ways = [way for way in (public_link("accounts.show_support"), here.support.telephone) if way]
    return ways or [here.admin_address or here.name]


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)

"""Mailed codes: six digits sent to an address, which show that a person reads what arrives there. No Flask here.

One at a time for each purpose, good once and for a quarter of an hour. Sending again replaces it: what was typed wrongly before
counts no more, so the number of mails is limited too.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from webmail import audit, rate_limits, system_mail
from webmail.auth.recovery import text_messages
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import AuditAct, MailedCode, SystemMessage, User, now
from webmail.rate_limits import DAY, HOUR, RateLimit, TooManyRequestsError
from webmail.vault import keyed_hash

LIFE = timedelta(minutes=15)
TRIES = 5
MAILED = RateLimit("codes mailed", 5, HOUR)  # to one person, whatever for
DIGITS = 6
_TEXTED = (RateLimit("codes texted", 3, HOUR), RateLimit("codes texted", 10, DAY))  # to confirm numbers of one person
_OTHERS = 3  # people who wait for a code at the same number: more are no family, but plague its owner
_LONGEST = 40  # characters of what is typed, with spaces in it

Letter = Callable[[str], tuple[str, str]]


class CodePurpose(StrEnum):
    """What a code is for; one that was mailed for the one is worth nothing for the other."""

    RECOVERY_ADDRESS = "recovery-address"
    SECOND_STEP = "second-step"
    PHONE = "phone"  # by text message
    FORWARDING = "forwarding"  # to an address that mail is to be forwarded to


class CodeFault(StrEnum):
    """Why a code was not accepted."""

    WRONG = "wrong"
    OVER = "over"  # too old, tried too often, used, or never sent


class CodeRefusedError(ValueError):
    """The code was not accepted: `fault`."""

    def __init__(self, fault: CodeFault) -> None:
        super().__init__(fault)
        self.fault = fault


def can_be_sent(settings: Settings) -> bool:
    """Whether there is anybody to send them, and people may say where to."""
    return settings.system_sender is not None and settings.recovery_address != "off"


def may_be_factor(settings: Settings) -> bool:
    """Whether people may turn codes by e-mail on as a second factor of their own."""
    return settings.mailed_second_step and can_be_sent(settings)


def can_replace_factor(user: User, settings: Settings) -> bool:
    """Whether a code may be mailed for the second step: only to a recovery address that was confirmed, which is never here.

    Who turned codes on as a factor keeps it where the administrator allows it no more: it may be the only one they have. Nobody
    else whose password was last chosen by a link to that address: whoever reads it would need nothing more.
    """
    allowed = user.mailed_step or (settings.mailed_second_step and not user.reset_by_mail)
    return can_be_sent(settings) and bool(user.recovery_address and allowed)


def send(
    user: User, purpose: CodePurpose, address: str, settings: Settings, letter: Letter, network: str = "", language: str = ""
) -> SystemMessage:
    """Queue the mail with a new code; `letter` gives its subject and text, in `language`. The caller wakes the worker.

    Raises TooManyRequestsError after MAILED (also where the address had too many from us today), BadAddressError, and one of
    DATABASE_AWAY.
    """
    code = _new_code()
    subject, body = letter(code)
    language = language or system_mail.in_language_of(user, settings)
    with db.atomic():
        rate_limits.take(settings, MAILED.by(user.id))
        _store(user, purpose, address, _hash(user, purpose, address, code, settings))
        row = system_mail.send(address, "code", subject, body, language, secret_key=settings.secret_key)
        if row is None:
            raise TooManyRequestsError(HOUR)
        audit.record(AuditAct.CODE_MAILED, actor=user, network=network, address=address)
    return row


def begin_by_text(user: User, number: str, settings: Settings, network: str = "") -> str:
    """A new code that confirms a telephone number, for the caller to send.

    Raises TooManyRequestsError after three text messages to one person in an hour, ten in a day, or all that may be sent, and
    while too many others wait for a code at this number.
    """
    code = _new_code()
    with db.atomic():
        waiting = (MailedCode.purpose == CodePurpose.PHONE) & (MailedCode.address == number) & (MailedCode.created > now() - LIFE)
        if MailedCode.select().where(waiting, MailedCode.user != user).count() >= _OTHERS:
            raise TooManyRequestsError(LIFE)
        _store(user, CodePurpose.PHONE, number, _hash(user, CodePurpose.PHONE, number, code, settings))
        rate_limits.take(settings, *(limit.by(user.id) for limit in _TEXTED))
        if not text_messages.may_send(user, number, settings, network=network, by_person=True):
            raise TooManyRequestsError(HOUR)
    return code


def accept(user: User, purpose: CodePurpose, typed: str, settings: Settings) -> str:
    """The address that the code was sent to; it is used up. Raises CodeRefusedError. At most three queries.

    Each try is counted before it is compared, so that many at once are not more than one after the other.
    """
    row = MailedCode.get_or_none((MailedCode.user == user) & (MailedCode.purpose == purpose))
    if row is None:
        raise CodeRefusedError(CodeFault.OVER)
    this = (MailedCode.id == row.id) & (MailedCode.code_hash == row.code_hash)
    alive = (MailedCode.tries < TRIES) & (MailedCode.created > now() - LIFE)
    if not MailedCode.update(tries=MailedCode.tries + 1).where(this & alive).execute():
        raise CodeRefusedError(CodeFault.OVER)
    code = digits(typed)
    if not code or not hmac.compare_digest(_hash(user, purpose, row.address, code, settings), row.code_hash):
        raise CodeRefusedError(CodeFault.WRONG if row.tries + 1 < TRIES else CodeFault.OVER)
    if not MailedCode.delete().where(this).execute():  # somebody else was as right, and first
        raise CodeRefusedError(CodeFault.OVER)
    return str(row.address)


def waiting_for(user: User, purpose: CodePurpose) -> str:
    """The address that a code is on its way to, "" where none can be typed any more. One query."""
    row = MailedCode.get_or_none((MailedCode.user == user) & (MailedCode.purpose == purpose))
    return str(row.address) if row is not None and row.tries < TRIES and row.created > now() - LIFE else ""


def forget(user: User, purpose: CodePurpose) -> None:
    """The code that was sent last is worth nothing any more."""
    MailedCode.delete().where((MailedCode.user == user) & (MailedCode.purpose == purpose)).execute()


def expire() -> int:
    """Delete what is too old to be typed; returns how many."""
    return int(MailedCode.delete().where(MailedCode.created < now() - LIFE).execute())


def digits(typed: str) -> str:
    """The six digits of what was typed or pasted, with spaces and dashes; "" if it is something else."""
    found = "".join(mark for mark in typed[:_LONGEST] if not mark.isspace() and mark not in "-‐‑–")
    return found if len(found) == DIGITS and found.isascii() and found.isdigit() else ""


def masked(address: str) -> str:
    """An address that its owner recognises and others learn little from: "m…@g….com"."""
    local, _, domain = address.rpartition("@")
    name, _, end = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}….{end}" if name else f"{local[:1]}…@{end[:1]}…"


def _new_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def _store(user: User, purpose: CodePurpose, address: str, code_hash: str) -> None:
    values = {"address": address, "code_hash": code_hash, "tries": 0, "created": now()}
    added = MailedCode.insert(user=user, purpose=purpose, **values)
    added.on_conflict(conflict_target=[MailedCode.user, MailedCode.purpose], update=values).execute()


def _hash(user: User, purpose: CodePurpose, address: str, code: str, settings: Settings) -> str:
    return keyed_hash(f"{address}\n{code}", settings.secret_key, f"mailed code {purpose}", user.id)

"""Password reset: a way to a new password for somebody who forgot theirs, by a link or a code. No Flask here.

Whoever asks gets a row, whether there is such an account or not, and the same queries; what is to be sent is decided afterwards
(`claim`), when nobody waits. A link or code opens the page for a new password and nothing else: the second step is asked for.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from peewee import Expression

from webmail import rate_limits
from webmail.auth.factors import mailed_codes
from webmail.auth.factors.mailed_codes import DIGITS, TRIES, CodeFault, CodeRefusedError
from webmail.auth.passwords import change
from webmail.auth.recovery import text_messages
from webmail.auth.sessions import known_devices
from webmail.auth.sessions.sessions import hash_token
from webmail.auth.sign_in.names import normalise
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.models import PasswordReset, User, now
from webmail.rate_limits import DAY, HOUR, RateLimit, TooManyRequestsError
from webmail.vault import keyed_hash

LIFE = timedelta(hours=1)
CODE_LIFE = mailed_codes.LIFE
# mails, and as many text messages, to one person; as many again asked for in browsers of theirs
SENT = (RateLimit("ways to a new password", 3, HOUR), RateLimit("ways to a new password", 10, DAY))
ASKED = RateLimit("new passwords asked for", 30, HOUR)  # from one network; browsers of the person are not counted
NEW = timedelta(days=1)  # a way that was given with the password alone leads nowhere yet: a thief may have given it
_UNSENT = 5000  # rows, the newest, for which nothing was sent: they count for the tries of a code
_LONGEST_TOKEN = 100


class Channel(StrEnum):
    """How the way to a new password reaches the person."""

    MAIL = "mail"
    SMS = "sms"


class Answer(StrEnum):
    """What is said to the person who was reached."""

    WAY = "way"  # the link or the code
    DISABLED = "disabled"
    ELSEWHERE = "elsewhere"  # a provider keeps their password


class ResetOverError(Exception):
    """The link or the code was used, is too old, or was never given out."""


@dataclass(frozen=True, slots=True)
class AskedReset:
    """What was asked for: the row, and what only the link, the browser and the text message hold."""

    row: int
    channel: Channel
    network: str
    token: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sending:
    """What is to be sent to whom: `to` is an address or a number."""

    user: User
    to: str
    answer: Answer


def channels(settings: Settings) -> list[Channel]:
    """The ways to a new password here; none where passwords are kept elsewhere, or nothing can be sent."""
    if settings.sign_in != "accounts" or not settings.forgotten_password:
        return []
    by_mail = settings.system_sender is not None and settings.public_url and settings.recovery_address != "off"
    return [*([Channel.MAIL] if by_mail else []), *([Channel.SMS] if settings.sms else [])]


def ask(name: str, channel: Channel, network: str, settings: Settings, *, browser: str = "") -> AskedReset:
    """Note that somebody asked for a new password of `name`, as it was typed. The same queries whoever that is: five at most.

    `browser`: the known-devices cookie. Raises TooManyRequestsError after ASKED.
    """
    address = normalise(name, settings.domain)
    known = bool(known_devices.recognise(browser, address, settings.secret_key))
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    hashed = hash_token(token)
    if not known:
        rate_limits.take(settings, ASKED.by(network))
    with db.atomic():
        person = User.select(User.id).where(User.address == address).scalar()
        row = PasswordReset.create(
            user=person, token_hash=hashed, channel=channel, known=known, network=network[:64],
            code_hash=_code_hash(hashed, code, settings) if channel is Channel.SMS else "",
        )  # fmt: skip
    return AskedReset(row.id, channel, network, token, code)


def counts_from(at_once: bool) -> datetime | None:
    """From when on a way that somebody gave leads to a new password; None: at once."""
    return None if at_once else now() + NEW


def take_sending(reset: AskedReset, settings: Settings) -> Sending | None:
    """What to send, which counts from now on; None where nothing is: nobody, nowhere to send it, or enough was sent."""
    with db.atomic():
        serialize("password-reset")
        row = PasswordReset.get_or_none(PasswordReset.id == reset.row)
        user = row.user if row is not None else None
        _forget_worthless(reset.row)
        if row is None or user is None:
            return None
        to, since = (
            (user.recovery_address, user.recovery_from) if reset.channel is Channel.MAIL else (user.phone, user.phone_from)
        )
        if not to or (since is not None and since > now()):
            return None
        try:  # strangers, who may ask in anybody's name, use up nothing of the owner's browsers
            use = rate_limits.take(settings, *(limit.by(user.id, row.channel, row.known) for limit in SENT))
        except TooManyRequestsError:
            return None
        if reset.channel is Channel.SMS and not text_messages.may_send(
            user, str(to), settings, network=reset.network, stranger=not row.known
        ):
            rate_limits.give_back(use)
            return None
        PasswordReset.update(sent=now()).where(PasswordReset.id == row.id).execute()
    answer = Answer.DISABLED if not user.active else Answer.WAY if user.password else Answer.ELSEWHERE
    return Sending(user, str(to), answer)


def check_code(tokens: Sequence[str], typed: str, settings: Settings) -> str:
    """Take the code that came by SMS; returns the token that leads on, a new one. Raises CodeRefusedError.

    `tokens`: those of this browser, as it may have asked more than once. For each two queries, also where there is nobody. A try
    is counted before it is compared, so that many at once are not more than one after the other. The token changes when it is
    proved: who planted it in this browser does not come in behind its owner.
    """
    code, left = mailed_codes.digits(typed), False
    for hashed in map(hash_token, tokens):
        row = PasswordReset.get_or_none(PasswordReset.token_hash == hashed)
        this = (PasswordReset.token_hash == hashed) & (PasswordReset.channel == Channel.SMS) & PasswordReset.proved.is_null()
        alive = (PasswordReset.tries < TRIES) & (PasswordReset.created > now() - CODE_LIFE) & PasswordReset.used.is_null()
        if not PasswordReset.update(tries=PasswordReset.tries + 1).where(this & alive).execute() or row is None:
            continue
        left = left or row.tries + 1 < TRIES
        right = hmac.compare_digest(_code_hash(hashed, code, settings), row.code_hash)
        if not (right and code and row.sent is not None):
            continue
        token = secrets.token_urlsafe(32)
        if PasswordReset.update(proved=now(), token_hash=hash_token(token)).where(this).execute():
            return token
    raise CodeRefusedError(CodeFault.WRONG if left else CodeFault.OVER)


def holder(token: str) -> User | None:
    """Whose new password a token lets choose; None where it lets nobody. One SELECT, no change."""
    if not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    row = PasswordReset.select(PasswordReset, User).join(User).where(_is_open(token)).first()
    user: User | None = row.user if row is not None else None
    return user if user is not None and user.active and user.password else None


def use(token: str, new: str, again: str, settings: Settings) -> User:
    """Choose the new password. What else was asked for by this person ends; the caller ends sessions, and signs in.

    Raises PasswordNotChangedError, which leaves the token good, ResetOverError and TooBusyError.
    """
    user = holder(token)
    if user is None:
        raise ResetOverError
    judged = change.strength(new, user, settings)
    if faults := change.faults_of(new, again, judged, settings):
        raise change.PasswordNotChangedError(faults, judged)
    hashed = change.hash_in_turn(new)
    with db.atomic():
        row = PasswordReset.get_or_none(_is_open(token))
        if row is None or not PasswordReset.update(used=now()).where(_is_open(token)).execute():
            raise ResetOverError  # somebody else was as quick
        by_mail = int(row.channel == Channel.MAIL)
        mine = (User.id == user.id) & (User.active == 1)
        if not User.update(password=hashed, must_change=0, reset_by_mail=by_mail).where(mine).execute():
            raise ResetOverError
        void(user)
    user.password, user.must_change, user.reset_by_mail = hashed, 0, by_mail
    return user


def void(user: User) -> None:
    """Links and codes of this person are good no more. One UPDATE."""
    PasswordReset.update(used=now()).where(PasswordReset.user == user, PasswordReset.used.is_null()).execute()


def expire() -> int:
    """Delete what counts no more; returns how many rows."""
    worthless = PasswordReset.sent.is_null() & (PasswordReset.created < now() - HOUR)
    return int(PasswordReset.delete().where(worthless | (PasswordReset.created < now() - DAY)).execute())


def _is_open(token: str) -> Expression:
    """The row of a token that was given out and not used: by mail with the link, by SMS once the code was right."""
    given = (PasswordReset.channel == Channel.MAIL) & PasswordReset.sent.is_null(False) | PasswordReset.proved.is_null(False)
    alive = PasswordReset.used.is_null() & (PasswordReset.created > now() - LIFE)
    return (PasswordReset.token_hash == hash_token(token)) & alive & given


def _forget_worthless(newest: int) -> None:
    """Keep few rows for which nothing was sent: others may ask without end. One DELETE.

    Whether they are of somebody or of nobody plays no part: what is forgotten counts no more for the tries of its code, so that
    answers would tell who has an account.
    """
    PasswordReset.delete().where(PasswordReset.sent.is_null(), PasswordReset.id <= newest - _UNSENT).execute()


def _code_hash(token_hash: str, code: str, settings: Settings) -> str:
    return keyed_hash(f"{token_hash}\n{code}", settings.secret_key, "password reset code", 0)

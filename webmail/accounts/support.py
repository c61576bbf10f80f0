"""Support requests: what somebody who is stuck asks the administrator, signed in or not. No Flask here.

A request is stored first and mailed then, so that none is lost with a mail. Strangers can fill neither the table nor the
administrator's mailbox: requests are counted by network and by the name that was typed, strangers' all together too, and so are
the mails about them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from webmail import audit, rate_limits, system_mail
from webmail.auth import help_desk
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.database.locks import serialize
from webmail.desk import cases
from webmail.models import AuditAct, DeskKind, SupportRequest, SystemMessage, User, now
from webmail.rate_limits import DAY, HOUR, Bounded, RateLimit

LONGEST_TEXT, LONGEST_CONTACT, LONGEST_NAME = 4000, 200, 254  # characters
KEPT = timedelta(days=365)
OF_NETWORK = RateLimit("support requests of a network", 10, HOUR)
OF_NAME = RateLimit("support requests under a typed name", 4, HOUR)
OF_PERSON = RateLimit("support requests of a person", 6, HOUR)
OF_STRANGERS = RateLimit("support requests of strangers", 300, DAY)
# to the administrator: below system_mail.PER_DAY, so that other mail still comes
MAILS, MAILS_OF_STRANGERS = RateLimit("support mail", 20, DAY), RateLimit("support mail of strangers", 15, DAY)
_MAIL, _OF_STRANGER, _COPY = "support", "support-stranger", "support-copy"  # kinds of system mail
_LETTERS = "234679ACDEFGHJKMNPQRTUVWXY"  # none that is taken for another one: no 0 O 1 I L 5 S 8 B Z
_HALF = 3
TAKEN_OUT = "[…]"

_IS_SECRET = re.compile(  # "mot de passe : abc", "the password is Tr33"
    r"(?P<word>\b(?:mots? de passe|mdp|passwords?|pass\s?word|passwd|pwd|passphrase|code secret)\b"
    r"(?:[^\S\n]+(?!est\b|is\b|was\b|are\b)[^\s:=]{1,20}){0,3}[^\S\n]*)"
    r"(?P<is>[:=]+|(?:est|was|is|=>|->|→)\b[^\S\n]*:?)(?P<space>\s*)(?P<secret>[^\s]{3,200})",
    re.IGNORECASE,
)


class TroubleKind(StrEnum):
    """What is wrong, as it is stored."""

    PASSWORD = "password"  # forgotten
    FACTOR = "factor"  # the telephone or the key is lost
    DISABLED = "disabled"
    MAIL = "mail"  # some is missing
    BROKEN = "broken"  # a page showed an error
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SupportQuestion:
    """What somebody asks. `user`: who is signed in, and so is certain; `username`: what was typed."""

    kind: TroubleKind
    text: str = ""
    username: str = ""
    contact: str = ""
    user: User | None = None
    browser: str = ""
    network: str = ""
    language: str = ""
    saw: tuple[tuple[str, str], ...] = ()  # what a page showed, and the devices: names of webmail.desk.cases.SEEN


@dataclass(frozen=True, slots=True)
class SupportLetter:
    """A mail about a request."""

    subject: str
    body: str


SupportLetters = Callable[[SupportRequest, bool], tuple[SupportLetter, SupportLetter | None]]


def is_offered(settings: Settings, user: User | None) -> bool:
    """Whether there is anybody whom a request reaches. No query with `admin_address`; else 1 for strangers, at most 3.

    While the database is away it is, so that what was typed stays and the page says that nothing was sent.
    """
    if settings.system_sender is None:
        return False
    try:
        return bool(settings.admin_address) or bool(help_desk.readers(user.address if user else "", settings))
    except DATABASE_AWAY:
        return True


def ask(
    question: SupportQuestion, notifications: SupportLetters, settings: Settings
) -> tuple[SupportRequest, list[SystemMessage]]:
    """Store a request and queue the mail about it, in one transaction; returns the row and what is to be sent.

    The same once more within an hour, as by a double click, is the one there is, and nothing is sent. `notifications` gives the
    mail to the administrator and the copy for who is signed in; it is told whether no more will be mailed today. Raises
    TooManyRequestsError.
    """
    if _same(question) is None:
        rate_limits.check(settings, *_limits(question))  # without the lock for writing, which others need
    with db.atomic():
        serialize("support")
        if (there := _same(question)) is not None:
            return there, []
        rate_limits.take(settings, *_limits(question))
        row = SupportRequest.create(
            reference=_new_reference(), user=question.user, username=question.username[:LONGEST_NAME], kind=question.kind,
            text=question.text[:LONGEST_TEXT], contact=question.contact[:LONGEST_CONTACT], browser=question.browser[:255],
            network=question.network[:64], language=question.language[:5],
        )  # fmt: skip
        _open_case(row, question)
        sent = _mailed(row, notifications, settings)
        audit.record(AuditAct.SUPPORT_ASKED, actor=question.user, target=row.reference, network=question.network)
    return row, sent


def without_secrets(text: str) -> str:
    """The text without what looks like a password in it: nobody needs one to help."""
    return _IS_SECRET.sub(_taken_out, text)


def open_requests(*, closed: bool = False, most: int = 200) -> list[SupportRequest]:
    """Those that wait, the oldest first; with `closed` all of them, the newest first."""
    rows = SupportRequest.select().limit(most)
    if closed:
        return list(rows.order_by(SupportRequest.id.desc()))
    return list(rows.where(SupportRequest.closed.is_null()).order_by(SupportRequest.id))


def find(reference: str) -> SupportRequest | None:
    """A request by its reference, as it is told on the telephone: in any case, with or without the hyphen."""
    marks = "".join(mark for mark in reference[:40].upper() if mark.isalnum())
    if len(marks) != 2 * _HALF:
        return None
    row: SupportRequest | None = SupportRequest.get_or_none(SupportRequest.reference == _readable_marks(marks))
    return row


def of_person(user: User, most: int = 20) -> list[SupportRequest]:
    """What somebody asked while signed in, the newest first. One SELECT."""
    rows = SupportRequest.select().where(SupportRequest.user == user)
    return list(rows.order_by(SupportRequest.created.desc()).limit(most))


def close(row: SupportRequest) -> bool:
    """Mark it as done; whether it was open. One UPDATE."""
    open_one = (SupportRequest.id == row.id) & SupportRequest.closed.is_null()
    with db.atomic():
        cases.settle(DeskKind.SUPPORT, [row.id])
        return bool(SupportRequest.update(closed=now()).where(open_one).execute())


def close_number(number: int) -> None:
    """Mark it as done, by its number; its case is the caller's. One UPDATE."""
    open_one = (SupportRequest.id == number) & SupportRequest.closed.is_null()
    SupportRequest.update(closed=now()).where(open_one).execute()


def reopen(row: SupportRequest) -> None:
    """The person wrote once more. One UPDATE."""
    SupportRequest.update(closed=None).where(SupportRequest.id == row.id).execute()


def drop(user: User) -> None:
    """Delete those of somebody who goes."""
    SupportRequest.delete().where(SupportRequest.user == user).execute()


def expire() -> int:
    """Delete what is older than KEPT; returns how many. Few, since few are taken in a day."""
    return int(SupportRequest.delete().where(SupportRequest.created < now() - KEPT).execute())


# --- parts -----------------------------------------------------------------------------------------------------------


def _taken_out(match: re.Match[str]) -> str:
    """The match without its secret; as it is where a remark follows: "the password is refused", "mot de passe : oublié"."""
    bare = match["secret"].strip(".,;!?…»«”“\"'()")
    if not bare or match["secret"].startswith(TAKEN_OUT) or _is_remark(bare.lower()):
        return match[0]
    return match["word"] + match["is"] + match["space"] + TAKEN_OUT


def _is_remark(word: str) -> bool:
    return word in _REMARKS or (word.isalpha() and word.endswith(("é", "ée", "és", "ées")))


_REMARKS = frozenset(  # what stands after "the password is ..." and is none
    re.findall(
        r"\w+",
        "the a an my i it we they not no none still always never now correct right incorrect wrong refused rejected accepted "
        "lost forgotten expired blocked locked invalid unknown too being asked stored kept what "
        "le la les un une mon je il elle on pas toujours bien jamais plus maintenant bon faux incorrecte mauvais perdu perdue "
        "oublie invalide inconnu inconnue trop impossible en sur dans",
    )
)


def _open_case(row: SupportRequest, question: SupportQuestion) -> None:
    """On the desk, with what the person saw."""
    seen = {
        **dict(question.saw), "browser": row.browser, "network": row.network, "contact": row.contact, "reference": row.reference,
    }  # fmt: skip
    cases.open_case(DeskKind.SUPPORT, row.id, user=row.user, address=row.username, topic=row.kind, text=row.text, seen=seen)


def _same(question: SupportQuestion) -> SupportRequest | None:
    """The same request of the same person, within an hour."""
    row = SupportRequest
    same = (
        (row.user == question.user if question.user else row.user.is_null())
        & (row.kind == question.kind)
        & (row.username == question.username)
        & (row.text == question.text)
        & (row.contact == question.contact)
        & (row.network == question.network)
    )
    found: SupportRequest | None = row.select().where(same, row.created > now() - HOUR).first()
    return found


def _limits(question: SupportQuestion) -> list[Bounded]:
    if question.user is not None:
        return [OF_PERSON.by(question.user.id)]
    of_network = [OF_NETWORK.by(question.network)] if question.network else []
    return [OF_STRANGERS.by(), *of_network, *([OF_NAME.by(question.username)] if question.username else [])]


def _mailed(row: SupportRequest, notifications: SupportLetters, settings: Settings) -> list[SystemMessage]:
    """Queue the mail about a request to the help desk of the establishment, unless that had too many today: it is in the list
    all the same.
    """
    user, kind = row.user, _OF_STRANGER if row.user is None else _MAIL
    desk = help_desk.readers(user.address if user else row.username, settings)
    limits = [MAILS.by(*desk), *([MAILS_OF_STRANGERS.by(*desk)] if user is None else [])]
    left = min(one.limit.most - rate_limits.used(settings, one) for one in limits)
    letter, copy = notifications(row, left == 1)
    sent: list[SystemMessage | None] = []
    if left > 0:
        rate_limits.note(settings, *limits)
        words = (letter.subject, letter.body, settings.language, row.reference)
        sent += [system_mail.send(one, kind, *words) for one in desk]
    if copy is not None and user is not None:
        language = system_mail.in_language_of(user, settings)
        sent.append(system_mail.send(user.address, _COPY, copy.subject, copy.body, language, row.reference))
    return [message for message in sent if message is not None]


def _new_reference() -> str:
    while True:
        found = _readable_marks("".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF)))
        if not SupportRequest.select().where(SupportRequest.reference == found).exists():
            return found


def _readable_marks(marks: str) -> str:
    return f"{marks[:_HALF]}-{marks[_HALF:]}"

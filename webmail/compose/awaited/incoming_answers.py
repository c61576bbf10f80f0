"""Incoming answers: what arrives beside the messages to which a reply is awaited. An answer ends the waiting; what programs send
in return is told, and does not count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from webmail.compose import identities
from webmail.compose.awaited import awaited_replies
from webmail.config.settings import Settings
from webmail.mime.headers import answer_headers
from webmail.mime.headers.answer_headers import AnswerHeaders, WriterKind
from webmail.mime.text import absence_dates, text_parts
from webmail.models import User, now

Fetch = Callable[[Iterable[int]], Mapping[int, bytes]]  # the beginnings of these messages, by UID


def take(user: User, heads: Mapping[int, bytes], mailbox: str, uidvalidity: int, fetch: Fetch, settings: Settings) -> int:
    """Note what these messages (header blocks by UID) mean for what the person awaits; returns how many are answered. 1 query for
    500 of the Message-IDs that they answer, 1 to 3 where there is something. `fetch`: the beginnings of reports, and of
    automatic replies."""
    found = {uid: answer_headers.read(head) for uid, head in heads.items()}
    returned = _returned(found, fetch)
    ids = {uid: answer.ids | (returned[uid][0] if uid in returned else frozenset()) for uid, answer in found.items()}
    awaited = awaited_replies.among(user, frozenset().union(*ids.values()))
    if not awaited:
        return 0
    mine, count = own_addresses(user, settings), 0
    for uid in sorted(found):
        about = sorted(awaited & ids[uid])
        if about and found[uid].email not in mine:
            count += _note(user, about, found[uid], returned.get(uid, (frozenset(), ""))[1], (mailbox, uidvalidity, uid))
            if found[uid].kind is WriterKind.AUTOMATIC:
                _note_absence(user, about, fetch([uid]).get(uid, b""))
    return count


def _note_absence(user: User, about: list[str], raw: bytes) -> None:
    """Until when an automatic reply says that somebody is away, where that is sure."""
    text, sent = text_parts.first_text(raw)
    awaited_replies.note_absence(user, about, absence_dates.absence_in(text, sent or now().date()))


def _returned(found: Mapping[int, AnswerHeaders], fetch: Fetch) -> dict[int, tuple[frozenset[str], str]]:
    reports = [uid for uid, answer in found.items() if answer.kind is WriterKind.REPORT]
    return {uid: answer_headers.returned(raw) for uid, raw in fetch(reports).items()} if reports else {}


def _note(user: User, about: list[str], answer: AnswerHeaders, failed: str, location: tuple[str, int, int]) -> int:
    match answer.kind:
        case WriterKind.PERSON:
            return awaited_replies.note_answer(user, about, answer, *location)
        case WriterKind.AUTOMATIC:
            awaited_replies.note_automatic(user, about, answer)
        case WriterKind.REPORT if failed:
            awaited_replies.note_bounce(user, about, failed)
    return 0


def own_addresses(user: User, settings: Settings) -> frozenset[str]:
    """Who writes from one of these is the person: no answer. 2 queries."""
    mine = [user.address, *identities.allowed(user), *(one.address for one in identities.usable(user, settings))]
    return frozenset(address.lower() for address in mine if address)

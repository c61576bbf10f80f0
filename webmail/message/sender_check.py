"""Sender check: who really sent a message, how far that is proven, and warnings about signs of phishing or spoofing.

Ordinary internal mail gives no warning: users ignore warnings that are always there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Any

import peewee as pw

from webmail.config import Settings
from webmail.database.connection import db
from webmail.database.prepared import Prepared
from webmail.mail import Address, Envelope, Message, Part, Role
from webmail.mime import authentication
from webmail.mime.authentication import Authentication, Verdict
from webmail.mime.formats import enriched_text
from webmail.mime.html import link_claims
from webmail.mime.threats import dangerous_files, lookalike, phishing_words
from webmail.models import Correspondent, User
from webmail.people import known_senders
from webmail.people.correspondents import has_written
from webmail.people.known_senders import KnownSender

_MOST_CORRESPONDENTS = 300  # the latest ones, checked for imitation of their names and domains
_MOST_COLLEAGUES = 20_000
_MOST_FILES = 20  # named in a warning
_MACHINE = re.compile(r"(?:no|ne)[._-]?(?:pas[._-]?)?(?:reply|repondre|respond)|notifications?\b|notify\b|mailer\b", re.I)


Known = list[Any]  # rows (name, address)


class SenderPlace(StrEnum):
    OWN = "own"  # the user's own address, in Sent or Drafts
    INSIDE = "inside"
    OUTSIDE = "outside"
    NOWHERE = "nowhere"  # no address at all


class TrustLevel(IntEnum):
    CALM = 0
    CAUTION = 1
    DANGER = 2


class WarningKind(StrEnum):
    """The kinds of warnings. Their texts are in `views/sender.py`."""

    FAILED = "failed"  # authentication (SPF, DKIM, DMARC) failed
    UNPROVEN = "unproven"  # an internal address without a passed authentication
    NO_SENDER = "no-sender"
    SEVERAL = "several"  # more than one sender
    COLLEAGUE = "colleague"  # a colleague's name with another address
    KNOWN_NAME = "known-name"  # the name of a contact or correspondent with another address
    ALIKE = "alike"  # an address that looks like a contact's
    ADDRESS_IN_NAME = "address-in-name"
    LOOKALIKE = "lookalike"
    SCRIPTS = "scripts"
    REPLY = "reply"  # replies go to another domain
    LINK = "link"  # the link text shows another site than the link's target
    DISGUISED = "disguised"
    PROGRAM = "program"
    SHORTCUT = "shortcut"
    DISK = "disk"
    PACKED = "packed"
    MACROS = "macros"
    LOCKED = "locked"
    PAGE = "page"
    CREDENTIALS = "credentials"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class SenderWarning:
    """A warning. `seen` is what the message claims, `real` what it should be compared with."""

    kind: WarningKind
    level: TrustLevel
    seen: str = ""
    real: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    email: str  # of the first sender; a deceptive domain is in Punycode
    place: SenderPlace
    contact: str = ""  # `uid` of the contact with this address
    written: bool = False  # the user has written to this address; not looked up for contacts
    first: bool = False  # the mailbox has no earlier message from this address
    recent: bool = False  # `first` was only checked among the latest messages
    authentication: Authentication = field(default_factory=Authentication)
    warnings: tuple[SenderWarning, ...] = ()

    @property
    def level(self) -> TrustLevel:
        return max((warning.level for warning in self.warnings), default=TrustLevel.CALM)

    @property
    def is_dangerous(self) -> bool:
        return self.level is TrustLevel.DANGER

    @property
    def is_addable(self) -> bool:
        """Whether to offer adding the sender to the contacts: not the user, not a contact yet, and no DANGER warning."""
        known = self.place in (SenderPlace.OWN, SenderPlace.NOWHERE) or self.contact
        return not known and not self.is_dangerous

    @property
    def genuine(self) -> bool:
        return self.authentication.verdict is Verdict.GENUINE


def stranger(user: User, envelope: Envelope, settings: Settings) -> str:
    """The sender's address if external and never written to, else "": only then are earlier messages searched. 1 query."""
    email = _first(envelope).email.lower()
    usable = email.isascii() and "@" in email and len(email) <= 254 and '"' not in email
    return email if usable and _place(user, email, None, settings) is SenderPlace.OUTSIDE and not has_written(user, email) else ""


def judge(
    message: Message, user: User, settings: Settings, role: Role | None = None, also: Sequence[SenderWarning] = ()
) -> Trust:
    """Check a message returned by `imap.messages.read`. `role` is its mailbox's; `also` are warnings found elsewhere.

    At most 7 small queries.
    """
    envelope = message.envelope
    sender = _first(envelope)
    domain = _domain(sender.email)
    place = _place(user, sender.email.lower(), role, settings)
    if place is SenderPlace.OWN:
        return Trust(sender.email, place)
    proof = authentication.judge(message.trace.results, settings.authserv_id, domain)
    met = known_senders.look_up(user, sender)
    written = place is SenderPlace.OUTSIDE and not met.contact and has_written(user, sender.email.lower())
    stranger = not written and not met.contact
    first = message.earlier is False and stranger
    warnings = [*also, *_about_proof(place, domain, proof)]
    known = _latest(user) if place is SenderPlace.OUTSIDE and stranger else []
    if place is not SenderPlace.INSIDE and stranger:
        warnings += _about_names(user, sender, known, met, settings)
    warnings += _about_domains(user, envelope, place is SenderPlace.OUTSIDE and stranger, known, met, settings)
    warnings += _about_answers(user, message, proof, settings)
    warnings += _about_links(message, domain, proof)
    warnings += _about_files(message, place, proof)
    if place is SenderPlace.OUTSIDE and first:
        warnings += _about_requests(message, proof)
    warnings.sort(key=lambda warning: -warning.level)
    back = bool(message.looked_back)
    return Trust(_shown(sender.email), place, met.contact, written, first, back, proof, tuple(warnings))


# --- the sender ------------------------------------------------------------------------------------------------------


def _first(envelope: Envelope) -> Address:
    return envelope.sender[0] if envelope.sender else Address("", "")


def _domain(email: str) -> str:
    return lookalike.readable(email.rpartition("@")[2].strip("<> ")) if "@" in email else ""


def _own_domains(user: User, settings: Settings) -> tuple[str, ...]:
    return settings.own_domains(user.address.rpartition("@")[2])


def is_inside(user: User, email: str, settings: Settings) -> bool:
    return _domain(email) in map(lookalike.readable, _own_domains(user, settings))


def _place(user: User, email: str, role: Role | None, settings: Settings) -> SenderPlace:
    if role in (Role.SENT, Role.DRAFTS) and email == user.address.lower():
        return SenderPlace.OWN
    if not _domain(email):
        return SenderPlace.NOWHERE
    return SenderPlace.INSIDE if is_inside(user, email, settings) else SenderPlace.OUTSIDE


def _shown(email: str) -> str:
    """The address, with a deceptive (homograph) domain in Punycode."""
    local, at, domain = email.rpartition("@")
    return f"{local}{at}{lookalike.wire(domain)}" if at and lookalike.deceives(domain) else email


# --- warnings --------------------------------------------------------------------------------------------------------


def _about_proof(place: SenderPlace, domain: str, proof: Authentication) -> Iterator[SenderWarning]:
    if place is SenderPlace.NOWHERE:
        yield SenderWarning(WarningKind.NO_SENDER, TrustLevel.CAUTION)
    if proof.verdict is Verdict.FAILED:
        yield SenderWarning(WarningKind.FAILED, TrustLevel.DANGER, domain)
    elif place is SenderPlace.INSIDE and proof.told and proof.verdict is not Verdict.GENUINE:
        yield SenderWarning(WarningKind.UNPROVEN, TrustLevel.CAUTION, domain)


def _about_names(user: User, sender: Address, known: Known, met: KnownSender, settings: Settings) -> Iterator[SenderWarning]:
    """A stranger using the name of a colleague, contact or correspondent; an address inside the display name."""
    claimed = lookalike.address_in(sender.name)
    if claimed and claimed != sender.email.lower() and not authentication.aligned(_domain(claimed), _domain(sender.email)):
        level = TrustLevel.DANGER if is_inside(user, claimed, settings) else TrustLevel.CAUTION
        yield SenderWarning(WarningKind.ADDRESS_IN_NAME, level, claimed, _shown(sender.email))
        return
    for own in _own_domains(user, settings):
        if "." in own and re.search(rf"(?<![\w.-]){re.escape(own)}(?![\w-])", sender.name.lower()):
            yield SenderWarning(WarningKind.ADDRESS_IN_NAME, TrustLevel.DANGER, own, _shown(sender.email))
            return
    key = lookalike.name_key(sender.name)
    if not key:
        return
    level = TrustLevel.DANGER if " " in key else TrustLevel.CAUTION
    for name, address in _colleagues().get(key, ()):
        if address.lower() != sender.email.lower():
            yield SenderWarning(WarningKind.COLLEAGUE, level, name, address)
            return
    if met.named:
        yield SenderWarning(WarningKind.KNOWN_NAME, TrustLevel.CAUTION, *met.named)
    elif " " in key:
        for name, address in known:
            if lookalike.name_key(name) == key and address != sender.email.lower():
                yield SenderWarning(WarningKind.KNOWN_NAME, TrustLevel.CAUTION, name, address)
                return


_shape = Prepared(
    lambda _slot: User.select(
        pw.fn.COUNT(User.id), pw.fn.MAX(User.id), pw.fn.SUM(pw.fn.LENGTH(User.name)), pw.fn.SUM(User.active)
    ).tuples()
)


def _colleagues() -> dict[str, list[tuple[str, str]]]:
    """(name, address) of all accounts by name key. 1 query; cached until accounts change, at most 5 minutes."""
    return _by_name(str(db.obj.database), _shape()[0], int(time.time() / 300))


@lru_cache(maxsize=2)
def _by_name(database: str, shape: tuple[int, ...], minutes: int) -> dict[str, list[tuple[str, str]]]:
    people: list[Any] = list(User.select(User.name, User.address).where(User.active == 1).limit(_MOST_COLLEAGUES).tuples())
    found: dict[str, list[tuple[str, str]]] = {}
    for name, address in people:
        if key := lookalike.name_key(name):
            found.setdefault(key, []).append((name, address))
    return found


_last_written = Prepared(
    lambda slot: (
        Correspondent.select(Correspondent.name, Correspondent.address)
        .where(Correspondent.user == slot("user"))
        .order_by(Correspondent.last.desc())
        .limit(_MOST_CORRESPONDENTS)
        .tuples()
    )
)


def _latest(user: User) -> Known:
    """(name, address) of the user's latest correspondents. 1 query."""
    return _last_written(user=user.id)


def _about_domains(
    user: User, envelope: Envelope, stranger: bool, known: Known, met: KnownSender, settings: Settings
) -> Iterator[SenderWarning]:
    sender = _first(envelope)
    domain, own = _domain(sender.email), _own_domains(user, settings)
    if len(envelope.sender) > 1:
        yield SenderWarning(WarningKind.SEVERAL, TrustLevel.CAUTION, ", ".join(_shown(a.email) for a in envelope.sender[:5]))
    if lookalike.deceives(domain):
        yield SenderWarning(WarningKind.SCRIPTS, TrustLevel.DANGER, domain, lookalike.wire(domain))
    answers = [_domain(a.email) for a in envelope.reply_to if _domain(a.email)]
    if stranger and met.alike:
        level = TrustLevel.CAUTION if met.alike[1].endswith(f"@{domain}") else TrustLevel.DANGER
        yield SenderWarning(WarningKind.ALIKE, level, _shown(sender.email), met.alike[1])
    elif stranger:
        written_to = (address.rpartition("@")[2] for _name, address in known)
        domains = list(dict.fromkeys([*written_to, *known_senders.domains(user)]))
        for each in dict.fromkeys((domain, *answers)):
            if real := lookalike.resembles(each, domains, *own):
                yield SenderWarning(WarningKind.LOOKALIKE, TrustLevel.DANGER, each, real)
                break


def _about_answers(user: User, message: Message, proof: Authentication, settings: Settings) -> Iterator[SenderWarning]:
    """Replies that go to another domain. Expected from mailing lists, and from authenticated automatic senders."""
    envelope, domain = message.envelope, _domain(_first(message.envelope).email)
    answers = [_domain(a.email) for a in envelope.reply_to if _domain(a.email)]
    by_machine = message.trace.bulk or message.list.can_be_left or _MACHINE.match(_first(envelope).email)
    expected = envelope.list_id or envelope.list_post or (by_machine and proof.verdict is Verdict.GENUINE)
    if answers and domain and not expected:
        fits = any(is_inside(user, f"@{each}", settings) or authentication.aligned(each, domain) for each in answers)
        if not fits and not has_written(user, envelope.reply_to[0].email.lower()):
            yield SenderWarning(WarningKind.REPLY, TrustLevel.CAUTION, _shown(envelope.reply_to[0].email), domain)


def _about_links(message: Message, domain: str, proof: Authentication) -> Iterator[SenderWarning]:
    """The first link whose text names another site than its target. Not if an authenticated sender names its own site:
    newsletters route links through click tracking.
    """
    for url, named in message.lies:
        own = link_claims.site_of(domain) == link_claims.site_of(named)
        if not (own and proof.verdict is Verdict.GENUINE):
            yield SenderWarning(
                WarningKind.LINK, TrustLevel.CAUTION if own else TrustLevel.DANGER, named, link_claims.host_of(url)
            )
            return


def _about_files(message: Message, place: SenderPlace, proof: Authentication) -> Iterator[SenderWarning]:
    """Only the most dangerous kind of files, with their names."""
    trusted = place is SenderPlace.INSIDE and proof.verdict is not Verdict.FAILED
    found: dict[dangerous_files.Danger, list[str]] = {}
    attached = [dangerous_files.danger_in(part, message) for part in message.structure.attachments]
    within = enriched_text.names_within(message.bodies.get(part.section, "") for part in message.structure.text)
    for kind, name in (*attached, *dangerous_files.dangers(Part("", "", 0, filename=name) for name in within)):
        if kind is not None and (dangerous_files.is_harmful(kind) or not trusted):
            found.setdefault(kind, []).append(name)
    for kind in dangerous_files.Danger:
        if kind in found:
            names = ", ".join(found[kind][:_MOST_FILES])
            yield SenderWarning(
                WarningKind(kind.value), TrustLevel.DANGER if dangerous_files.is_harmful(kind) else TrustLevel.CAUTION, names
            )
            return


def _about_requests(message: Message, proof: Authentication) -> Iterator[SenderWarning]:
    asked = phishing_words.asked_for(f"{message.envelope.subject}\n{_without_quotes(message.glance)}")
    if asked is not None:
        level = (
            TrustLevel.CAUTION
            if proof.verdict is Verdict.GENUINE or asked is phishing_words.PhishingWord.MONEY
            else TrustLevel.DANGER
        )
        yield SenderWarning(WarningKind(asked.value), level)


def _without_quotes(text: str) -> str:
    return re.sub(r"(?m)^>.*$", "", text)

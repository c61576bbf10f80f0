"""Sender check: who really sent a message, how far that is proven, and warnings about signs of phishing or spoofing.

Ordinary mail gives no warning: users ignore warnings that are always there. A tick needs proof: results of our own mail server
that fit From, a submission after sign-in by whoever owns From, or the mark of our own outbox.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from webmail.config.settings import Settings
from webmail.mail import Address, Envelope, Message, Role, Trace
from webmail.message import content_check
from webmail.message.content_check import is_inside, own_domains, readable_address
from webmail.message.trust import SenderPlace, SenderVerdict, SenderWarning, Trust, TrustLevel, WarningKind
from webmail.mime.headers import authentication
from webmail.mime.headers import proof as proofs
from webmail.mime.headers.authentication import Arrival, Authentication, Verdict
from webmail.mime.threats import lookalike
from webmail.mime.threats.providers import PROVIDERS
from webmail.models import User
from webmail.people import colleagues, handovers, impostors, known_senders
from webmail.people.impostors import Impostor, Pretence, domain_of
from webmail.people.known_senders import KnownSender
from webmail.people.visibility import sees, sight_of

__all__ = [
    "SenderLookUp", "SenderPlace", "SenderVerdict", "SenderWarning", "Trust", "TrustLevel", "WarningKind", "is_inside", "judge",
    "needs_whole",
]  # fmt: skip

_MOST_SENDERS = 20  # of one message that are looked at and named


class SenderLookUp:
    """The sender of one message among those the user knows: 1 query, for all who ask while a page is made."""

    def __init__(self, user: User, settings: Settings) -> None:
        self._user, self._settings = user, settings
        self._found: dict[Address, KnownSender] = {}

    def known_sender(self, sender: Address) -> KnownSender:
        if sender not in self._found:
            outside = _sender_place(self._user, sender.email.lower(), None, self._settings) is SenderPlace.OUTSIDE
            self._found[sender] = known_senders.look_up(self._user, sender, outside=outside)
        return self._found[sender]

    def stranger(self, envelope: Envelope) -> str:
        """The sender's address if external and never written to, else "": only then are earlier messages searched."""
        sender = _first(envelope)
        email = sender.email.lower()
        usable = email.isascii() and "@" in email and len(email) <= 254 and '"' not in email
        outside = usable and _sender_place(self._user, email, None, self._settings) is SenderPlace.OUTSIDE
        return email if outside and not self.known_sender(sender).written else ""


def needs_whole(trace: Trace, envelope: Envelope, user: User, settings: Settings) -> bool:
    """Whether the whole message has to be read to know its sender: it bears our mark, and nothing else proves who sent it."""
    return trace.marked and _server_says(trace, envelope, user, settings).verdict is not Verdict.GENUINE


def judge(
    message: Message,
    user: User,
    settings: Settings,
    role: Role | None = None,
    also: Sequence[SenderWarning] = (),
    look_up: SenderLookUp | None = None,
) -> Trust:
    """Check a message returned by `imap.messages.read`. `role` is its mailbox's; `also` are warnings found elsewhere; `look_up`
    has the sender if that was asked before.

    At most 6 small queries, 2 for a sender whom the user wrote to.
    """
    envelope = message.envelope
    sender = _first(envelope)
    domain = domain_of(sender.email)
    place = _sender_place(user, sender.email.lower(), role, settings)
    if place is SenderPlace.OWN:
        return Trust(sender.email, place, name=sender.name)
    proof, marked = _proof(message, user, settings)
    met = (look_up or SenderLookUp(user, settings)).known_sender(sender)
    written = place is SenderPlace.OUTSIDE and not met.contact and met.written
    stranger = not written and not met.contact
    warnings = [*also, *_about_proof(message, user, place, proof, settings)]
    name = sender.name
    if place is SenderPlace.INSIDE:
        writer = proof.login if proof.verdict is Verdict.GENUINE else ""
        name = colleagues.today(met.directory).shown_name(sender.name, sender.email.lower(), writer)
    if place is SenderPlace.INSIDE or stranger:
        warnings += _about_names(user, envelope, met, proof, settings)
    warnings += _about_domains(user, envelope, place is SenderPlace.OUTSIDE and stranger, met, settings)
    sent_by = _substitute(message, place, proof, marked=marked)
    warnings += _about_senders(message, place, proof, recorded=bool(sent_by))
    warnings += content_check.answers(user, message, proof, settings)
    warnings += content_check.links(message, domain, proof)
    warnings += content_check.files(message, place, proof)
    if place is SenderPlace.OUTSIDE and stranger and message.earlier is not True:
        warnings += content_check.requests(message, proof)
    warnings.sort(key=lambda warning: -warning.level)
    email = readable_address(sender.email)
    shown_otherwise = email != sender.email
    trace = message.trace
    over_tls = authentication.over_tls(trace.results, trace.encryption, settings.authserv_id, settings.authserv_hops)
    return Trust(email, place, met.contact, written, proof, tuple(warnings), shown_otherwise, marked, sent_by, name, over_tls)


# --- the sender ------------------------------------------------------------------------------------------------------


def _first(envelope: Envelope) -> Address:
    return envelope.sender[0] if envelope.sender else Address("", "")


def _sender_place(user: User, email: str, role: Role | None, settings: Settings) -> SenderPlace:
    if role in (Role.SENT, Role.DRAFTS) and email == user.address.lower():
        return SenderPlace.OWN
    if not domain_of(email):
        return SenderPlace.NOWHERE
    return SenderPlace.INSIDE if is_inside(user, email, settings) else SenderPlace.OUTSIDE


# --- proof -----------------------------------------------------------------------------------------------------------


def _server_says(
    trace: Trace, envelope: Envelope, user: User, settings: Settings, received: datetime | None = None
) -> Authentication:
    """What our mail server found. Nothing is proven of several senders at once. At most 1 query, and 1 for who wrote from a
    mailbox that was handed over when the message was `received`."""

    def owns(login: str, address: str) -> bool:
        return colleagues.may_write_as(login, address) or bool(received and handovers.wrote_for(login, address, received))

    email = _first(envelope).email.lower()
    local, at, domain = email.rpartition("@")
    found = authentication.judge(
        trace.results, settings.authserv_id, f"{local}{at}{lookalike.wire(domain)}", hops=settings.authserv_hops,
        personal=is_inside(user, email, settings), owns=owns,
    )  # fmt: skip
    several = found.verdict is Verdict.GENUINE and (trace.authors != 1 or len(envelope.sender) > 1)
    at_home = found.verdict is Verdict.FAILED and trace.arrivals == (Arrival.HANDED_OVER,)  # SPF is for mail from outside
    return replace(found, verdict=Verdict.UNVERIFIED) if several or at_home else found


def _proof(message: Message, user: User, settings: Settings) -> tuple[Authentication, bool]:
    """What is known of the sender, and whether the mark of our own outbox says so."""
    found = _server_says(message.trace, message.envelope, user, settings, message.received)
    alone = message.trace.authors == len(message.envelope.sender) == 1
    if found.verdict is not Verdict.GENUINE and alone and message.whole and proofs.verifies(message.whole, settings.secret_key):
        return replace(found, verdict=Verdict.GENUINE), True
    return found, False


def _about_proof(
    message: Message, user: User, sender_place: SenderPlace, proof: Authentication, settings: Settings
) -> Iterator[SenderWarning]:
    """Where nobody of ours checks anything, or a message came before anybody did, a sender without proof is no danger."""
    email = _first(message.envelope).email
    ours = [one.email for one in message.envelope.sender[:_MOST_SENDERS] if is_inside(user, one.email, settings)]
    if sender_place is SenderPlace.NOWHERE:
        yield SenderWarning(WarningKind.NO_SENDER, TrustLevel.CAUTION)
    if proof.verdict is Verdict.FAILED:
        yield SenderWarning(WarningKind.FAILED, TrustLevel.DANGER, domain_of(email))
    elif proof.borrowed:
        if not any(colleagues.may_write_as(proof.login, one.email) for one in message.trace.resent[:1]):
            yield SenderWarning(WarningKind.BORROWED, TrustLevel.DANGER, email, proof.login)
        elif sender_place is SenderPlace.INSIDE:
            yield SenderWarning(WarningKind.REDIRECTED, TrustLevel.CAUTION, email, proof.login)
    elif proof.verdict is not Verdict.GENUINE and _is_checked(message.trace, proof, settings):
        if ours:
            yield SenderWarning(WarningKind.UNPROVEN, TrustLevel.DANGER, ours[0])
        elif below := _below_ours(message.envelope, user, settings):
            level = TrustLevel.DANGER if settings.is_own_subdomain(domain_of(below)) else TrustLevel.CAUTION
            yield SenderWarning(WarningKind.UNPROVEN, level, below)


def _below_ours(envelope: Envelope, user: User, settings: Settings) -> str:
    """The first sender below a domain of ours, "" if there is none: a server of the establishment's, or somebody who says so."""
    own = tuple(f".{one}" for one in own_domains(user, settings))
    return next((one.email for one in envelope.sender[:_MOST_SENDERS] if domain_of(one.email).endswith(own)), "")


def _is_checked(trace: Trace, proof: Authentication, settings: Settings) -> bool:
    """Whether our server would have told if a colleague had sent it: it checked the message, or took it from outside; not what
    our own machine wrote in somebody's name, such as an absence reply."""
    if not settings.authserv_id or trace.arrivals == (Arrival.HANDED_OVER,):
        return False
    return proof.told or trace.arrivals[settings.authserv_hops :][:1] == (Arrival.OUTSIDE,)


# --- names and domains -----------------------------------------------------------------------------------------------

_KINDS = {
    Pretence.ADDRESS: WarningKind.ADDRESS_IN_NAME,
    Pretence.ESTABLISHMENT: WarningKind.ESTABLISHMENT,
    Pretence.COLLEAGUE: WarningKind.COLLEAGUE,
    Pretence.ROLE: WarningKind.ROLE,
    Pretence.BEHALF: WarningKind.BEHALF,
    Pretence.LETTERS: WarningKind.LETTERS,
}


def _about_names(
    user: User, envelope: Envelope, met: KnownSender, proof: Authentication, settings: Settings
) -> Iterator[SenderWarning]:
    """The name of a colleague, contact, correspondent or of the establishment, or an address, that is not the sender's."""
    own, people = own_domains(user, settings), colleagues.today(met.directory)
    writer = proof.login if proof.verdict is Verdict.GENUINE else ""
    for sender in envelope.sender[:_MOST_SENDERS]:
        found = impostors.pretends(sender, own, settings, people, writer)
        if found and not _is_usual(found, sender):
            level = TrustLevel.DANGER if found.grave else TrustLevel.CAUTION
            real = readable_address(sender.email) if found.kind is not Pretence.COLLEAGUE else found.real
            if found.kind is Pretence.COLLEAGUE and not (sight_of(user, settings).everyone or sees(user, real, settings)):
                real = ""  # nor does the directory tell it
            yield SenderWarning(_KINDS[found.kind], level, found.seen, real)
            return
    sender = _first(envelope)
    if is_inside(user, sender.email, settings):
        return
    if named := met.named or impostors.known_under(sender.name, sender.email.lower(), met.others.correspondents):
        yield SenderWarning(WarningKind.KNOWN_NAME, TrustLevel.CAUTION, *named)


def _is_usual(found: Impostor, sender: Address) -> bool:
    """Whether a name holds another address of the same domain, which is not one that anybody can get an address of:
    "contact@shop.example" <news@shop.example>."""
    domain = domain_of(sender.email)
    same = authentication.aligned(domain_of(found.seen), domain) and domain not in PROVIDERS
    return found.kind is Pretence.ADDRESS and not found.grave and same


def _about_domains(
    user: User, envelope: Envelope, stranger: bool, met: KnownSender, settings: Settings
) -> Iterator[SenderWarning]:
    sender = _first(envelope)
    domain, own = domain_of(sender.email), own_domains(user, settings)
    if lookalike.deceives(domain):
        yield SenderWarning(WarningKind.SCRIPTS, TrustLevel.DANGER, domain, lookalike.wire(domain))
    answers = [domain_of(a.email) for a in envelope.reply_to if domain_of(a.email)]
    if stranger and met.alike:
        level = TrustLevel.CAUTION if met.alike[1].endswith(f"@{domain}") else TrustLevel.DANGER
        yield SenderWarning(WarningKind.ALIKE, level, readable_address(sender.email), met.alike[1])
    elif stranger:
        written_to = (address.rpartition("@")[2] for _name, address in met.others.correspondents)
        domains = list(dict.fromkeys([*written_to, *met.others.domains]))
        for each in dict.fromkeys((domain, *answers)):
            if real := lookalike.resembles(each, domains, *own):
                yield SenderWarning(WarningKind.LOOKALIKE, TrustLevel.DANGER, each, real)
                break


def _substitute(message: Message, sender_place: SenderPlace, proof: Authentication, *, marked: bool) -> str:
    """Who is proven to have written for the sender, by a handover of the mailbox that was in force then. At most 1 query."""
    author, sender = _first(message.envelope).email.lower(), next((a.email.lower() for a in message.trace.sender), "")
    proven = sender_place is SenderPlace.INSIDE and proof.verdict is Verdict.GENUINE and (marked or proof.login == sender)
    if not sender or sender == author or not proven or len(message.trace.sender) > 1:
        return ""
    return readable_address(sender) if handovers.wrote_for(sender, author, message.received) else ""


def _about_senders(
    message: Message, sender_place: SenderPlace, proof: Authentication, *, recorded: bool
) -> Iterator[SenderWarning]:
    """Several authors, and a Sender who is not the author, as a list or a service that proves itself may name. `recorded`:
    we have a record of it."""
    envelope, trace = message.envelope, message.trace
    if len(envelope.sender) > 1 or trace.authors > 1:
        named = [readable_address(a.email) for a in envelope.sender[:_MOST_SENDERS]]
        more = ["…"] if len(envelope.sender) > _MOST_SENDERS else []
        yield SenderWarning(WarningKind.SEVERAL, TrustLevel.CAUTION, ", ".join(named + more))
    author, sender = _first(envelope).email.lower(), next((a.email.lower() for a in trace.sender), "")
    if not sender or not author or sender == author or recorded:
        return
    same = authentication.aligned(domain_of(sender), domain_of(author))
    if sender_place is SenderPlace.INSIDE or not (same or proof.verdict is Verdict.GENUINE):
        yield SenderWarning(WarningKind.SENT_FOR, TrustLevel.CAUTION, readable_address(sender), readable_address(author))

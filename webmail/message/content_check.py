"""Content check: warnings about what a message asks for, leads to, carries, and where an answer to it would go."""

from __future__ import annotations

import re
from collections.abc import Iterator

from webmail.config.settings import Settings
from webmail.mail import Message, Part
from webmail.message.trust import SenderPlace, SenderWarning, TrustLevel, WarningKind
from webmail.mime.formats import enriched_text
from webmail.mime.headers import authentication
from webmail.mime.headers.authentication import Authentication, Verdict
from webmail.mime.html import link_claims
from webmail.mime.threats import dangerous_files, lookalike, phishing_words
from webmail.models import User
from webmail.people.correspondents import has_written
from webmail.people.impostors import domain_of

_MOST_FILES = 20  # named in a warning
_MACHINE = re.compile(r"(?:no|ne)[._-]?(?:pas[._-]?)?(?:reply|repondre|respond)|notifications?\b|notify\b|mailer\b", re.I)


def is_inside(user: User, email: str, settings: Settings) -> bool:
    return domain_of(email) in own_domains(user, settings)


def own_domains(user: User, settings: Settings) -> tuple[str, ...]:
    """The domains that are inside for this user, readable."""
    return tuple(map(lookalike.readable, settings.own_domains(user.address.rpartition("@")[2])))


def readable_address(email: str) -> str:
    """The address, with a deceptive (homograph) domain in Punycode."""
    local, at, domain = email.rpartition("@")
    return f"{local}{at}{lookalike.wire(domain)}" if at and lookalike.deceives(domain) else email


def answers(user: User, message: Message, proof: Authentication, settings: Settings) -> Iterator[SenderWarning]:
    """Replies that go to another domain. Expected from authenticated automatic senders: anybody can write List-Id."""
    envelope, sender = message.envelope, next((a.email for a in message.envelope.sender), "")
    domain, elsewhere = domain_of(sender), [domain_of(a.email) for a in message.envelope.reply_to if domain_of(a.email)]
    by_machine = message.trace.bulk or message.list.can_be_left or _MACHINE.match(sender)
    expected = by_machine and proof.verdict is Verdict.GENUINE
    if elsewhere and domain and not expected:
        fits = any(is_inside(user, f"@{each}", settings) or authentication.aligned(each, domain) for each in elsewhere)
        if not fits and not has_written(user, envelope.reply_to[0].email.lower()):
            yield SenderWarning(WarningKind.REPLY, TrustLevel.CAUTION, readable_address(envelope.reply_to[0].email), domain)


def links(message: Message, domain: str, proof: Authentication) -> Iterator[SenderWarning]:
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


def files(message: Message, sender_place: SenderPlace, proof: Authentication) -> Iterator[SenderWarning]:
    """Each kind of dangerous files, with names. Documents with macros and web pages are ordinary among proven colleagues."""
    trusted = sender_place is SenderPlace.INSIDE and proof.verdict is Verdict.GENUINE
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


def requests(message: Message, proof: Authentication) -> Iterator[SenderWarning]:
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

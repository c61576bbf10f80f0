"""Verdict of the door: whether a message is taken, and what the header says of it. Knows neither Postfix nor the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.milter.headers import (
    LONGEST,
    Fields,
    Mailbox,
    UnreadableError,
    domain_of,
    hidden_domains,
    mailboxes,
    mentioned,
    possible_authors,
    values_of,
)  # fmt: skip
from deploy.milter.results import Result

Owns = Callable[[str], bool]  # whether whoever signed in may write from an address


@dataclass(frozen=True, slots=True)
class Verdict:
    """Taken with these results, or refused with this reply: 550 for good, 451 for now."""

    results: list[Result] = field(default_factory=list)
    code: str = ""
    enhanced: str = "5.7.1"
    text: str = ""
    sender: str = ""  # who is to be named as Sender, which the program has left out

    @property
    def taken(self) -> bool:
        return not self.code


@dataclass(frozen=True, slots=True)
class Checked:
    """What SPF, DKIM and DMARC say. `passed` are the domains that did; `unsure`: something could not be asked now.

    `policy`: what the domain of From asks for where DMARC fails; "" where it did not.
    """

    results: list[Result]
    passed: frozenset[str] = frozenset()
    unsure: bool = False
    policy: str = ""


def _refused(text: str) -> Verdict:
    return Verdict(code="550", text=text)


# --- after sign-in ---------------------------------------------------------------------------------------------------


def submission(
    fields: Fields,
    login: str,
    sender: str,
    owns: Owns,
    ours: frozenset[str],
    proven: Callable[[], bool] = lambda: False,
    on_behalf: Callable[[str], bool] = lambda _address: False,
) -> Verdict:
    """The verdict on a message of somebody signed in as `login`, with the envelope's `sender` ("" is the null sender).

    Each address in From and Sender must be one of theirs, and so must each address of our domains in a name beside them. A
    message that is redirected (Resent-From) keeps a foreign author's name; a colleague's only if `proven()`: it bears the
    webmail's proof that the colleague wrote it. Who writes `on_behalf` of an address is named as Sender, by the program or here.
    """
    try:
        if values_of(fields, "resent-from"):
            return _redirected(fields, login, sender, owns, ours, proven)
        authors = _one_field(fields, "from", "From")
        senders = _one_field(fields, "sender", "Sender") if values_of(fields, "sender") else []
    except UnreadableError as error:
        return _refused(f"The message is refused: {error}.")
    if stranger := _not_owned([*authors, *senders], owns, ours):
        return _refused(f"The message is refused: {login} may not write from {stranger}.")
    proof = (("smtp.auth", login), ("smtp.mailfrom", sender), ("header.from", authors[0].address))
    substitute = any(one.address.lower() != login and on_behalf(one.address) for one in authors)
    if substitute and any(one.address.lower() != login for one in senders):
        return _refused(f"The message is refused: {login} writes on behalf of {authors[0].address}, and must be its Sender.")
    return Verdict([Result("auth", "pass", proof, "login")], sender=login if substitute and not senders else "")


def _redirected(fields: Fields, login: str, sender: str, owns: Owns, ours: frozenset[str], proven: Callable[[], bool]) -> Verdict:
    """Raises UnreadableError."""
    values = values_of(fields, "from")
    if any(len(value) > LONGEST for value in values):
        raise UnreadableError("its From header is too long")
    authors, plain = possible_authors(values)
    resent = [*values_of(fields, "resent-from"), *values_of(fields, "resent-sender")]
    theirs = [one for value in resent for one in mailboxes(value)]
    theirs += [one for value in values if plain for one in mailboxes(value) if owns(one.address)]
    if stranger := _not_owned(theirs, owns, ours):
        return _refused(f"The message is refused: {login} may not write from {stranger}.")
    hidden = not plain and hidden_domains(values, ours)
    if (hidden or any(domain_of(author) in ours and not owns(author) for author in authors)) and not proven():
        return _refused("The message is refused: a colleague's message can't be redirected under their name. Forward it instead.")
    return Verdict([Result("auth", "pass", (("smtp.auth", login), ("smtp.mailfrom", sender)), "redirected")])


def _one_field(fields: Fields, name: str, shown: str) -> list[Mailbox]:
    """The mailboxes of a header that stands there exactly once. Raises UnreadableError."""
    values = values_of(fields, name)
    if len(values) != 1:
        raise UnreadableError(f"it has {len(values) or 'no'} {shown} header{'s' if len(values) > 1 else ''}")
    try:
        return mailboxes(values[0])
    except UnreadableError as error:
        raise UnreadableError(f"its {shown} header can't be read, {error}") from error


def _not_owned(found: list[Mailbox], owns: Owns, ours: frozenset[str]) -> str:
    """An address in these mailboxes that is somebody else's, "" if there is none."""
    for mailbox in found:
        if not owns(mailbox.address):
            return mailbox.address
        inside = (address for address in mentioned(mailbox.name) if domain_of(address) in ours)
        if stranger := next((address for address in inside if not owns(address)), ""):
            return stranger
    return ""


# --- written by the machine for a person -----------------------------------------------------------------------------


def automatic(fields: Fields, who: str, owns: Owns, ours: frozenset[str]) -> str:
    """Why an answer or a notification of this person's Sieve script is refused, "" if it is not.

    As after sign-in: each address in From and Sender must be theirs, whatever `:from`, `:mime` or a `mailto:` says of them.
    """
    try:
        if values_of(fields, "resent-from"):
            raise UnreadableError("it has a Resent-From header")
        authors = _one_field(fields, "from", "From")
        senders = _one_field(fields, "sender", "Sender") if values_of(fields, "sender") else []
    except UnreadableError as error:
        return f"The automatic message is refused: {error}."
    stranger = _not_owned([*authors, *senders], owns, ours)
    return f"The automatic message is refused: {who} may not write from {stranger}." if stranger else ""


# --- without sign-in -------------------------------------------------------------------------------------------------


def outside(fields: Fields, ours: frozenset[str], check: Callable[[str], Checked], *, trusted: bool) -> Verdict:
    """The verdict on mail that nobody signed in for. `check(domain)` asks SPF, DKIM and DMARC for the domain of From, "" if there
    is not exactly one. Mail of this machine itself (`trusted`) is never refused here: Dovecot forwards, and writes absences.
    """
    values = values_of(fields, "from")
    authors, plain = possible_authors(values)
    domains = {domain_of(address) for address in authors}
    single = len(values) == 1 and plain and len(authors) == 1
    checked = check(next(iter(domains)) if single else "")
    if trusted:  # what does not pass means nothing: Dovecot sends on, from another address, what others wrote
        return Verdict([result for result in checked.results if result.result == "pass"])
    if any(len(value) > LONGEST for value in values):
        return _refused("The message is refused: its From header is too long.")
    claimed = domains & ours if plain else domains & ours | hidden_domains(values, ours)
    if not claimed and checked.policy == "reject":  # below ours; others' policies are told, and not carried out here
        claimed = {domain for domain in domains if any(_vouches(domain, one) for one in ours)}
    if not claimed:
        return Verdict(checked.results)
    one = next(iter(claimed))
    above = any(_vouches(one, domain) for domain in checked.passed & ours)  # ours speaks for what is below it
    if single and (above or any(_vouches(domain, one) for domain in checked.passed)):
        return Verdict(checked.results)
    if single and checked.unsure:
        return Verdict(code="451", enhanced="4.7.1", text="It can't be told now whether this message comes from us. Try again.")
    return _refused(f"The message is refused: it says it comes from {min(claimed)}, and nothing proves it (SPF, DKIM).")


def _vouches(domain: str, ours: str) -> bool:
    """Whether a pass of `domain` proves mail of ours. A domain above ours may belong to somebody else, one below is ours."""
    return domain == ours or domain.endswith(f".{ours}")

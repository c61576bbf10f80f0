"""What Sieve sends: whether forwarded mail may go where it goes, and whose an answer is, whoever wrote the script.

Dovecot sends it to Postfix from this machine, and puts who forwards it into a header above those of the message; so forwarding is
held to the setting here, after all pages and forms. Sieve's notifications (RFC 5436) can carry a whole text and count as well.
What is refused stays in the mailbox: a failed redirect makes Dovecot keep the message. Answers (`vacation`) come with the address
of whoever has the script as the envelope's sender, and leave without one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from deploy.milter.headers import Fields, domain_of

MODES = ("off", "inside", "domains", "anywhere")
_PLAIN = re.compile(r"[\w.#$&'*+/=?^`{}~-]+", re.ASCII)  # without "%", "!", "|", quotes or "@", which may lead elsewhere


@dataclass(frozen=True, slots=True)
class ForwardingPolicy:
    """The webmail's settings `forwarding` and `forwarding_domains`; `ours` are the establishment's domains."""

    mode: str = "inside"
    domains: frozenset[str] = frozenset()
    ours: frozenset[str] = field(default_factory=frozenset)

    def allows(self, who: str, recipient: str) -> bool:
        if self.mode in ("off", "anywhere"):
            return self.mode == "anywhere"
        local, _at, _domain = recipient.rpartition("@")
        if not _PLAIN.fullmatch(local):
            return False
        domain, theirs = domain_of(recipient), domain_of(who)
        inside = self.ours | {theirs} if theirs in self.ours else {theirs}
        return bool(domain) and (domain in inside or (self.mode == "domains" and domain in self.domains))


def forwarder(fields: Fields) -> str | None:
    """Whose script sends this message on, as Dovecot wrote it first; "" for a notification; None for any other mail."""
    found = _sent_on(fields)
    return found[1] if found else None


def notifier(fields: Fields) -> str | None:
    """Whose script notifies by this message; "" where that is not told, None for any other mail."""
    found = _sent_on(fields)
    return found[1] if found and found[0] == "notification" else None


def _sent_on(fields: Fields) -> tuple[str, str] | None:
    """How a script sends this message, and whose script.

    What stands below may be the script's: a `mailto:` can give a notification any header that Dovecot does not write itself, and
    `:mime` an answer, which says what it is above these.
    A redirect of ours has travelled no further than from there to here: below a Received, the header is of another server, whose
    mail a list or a content filter on this machine hands on.
    """
    travelled = False
    for name, value in fields:
        match name.strip().lower():
            case "received":
                travelled = True
            case "auto-submitted" if not travelled and _is_answer(value):
                return None
            case "x-sieve-redirected-from" if not travelled:
                return "redirect", value.strip().strip("<>").lower()
            case "auto-submitted" if value.strip().lower().startswith("auto-notified"):
                owner = re.search(r'owner-email\s*=\s*"?([^";\s]+)', value)
                return "notification", owner[1].lower() if owner else ""
    return None


def answerer(fields: Fields, sender: str) -> str | None:
    """Who answers with this message, by the script's `vacation`; "" where Dovecot does not tell; None for other mail.

    The first header is Dovecot's, and no script can write above it. `sender`: of the envelope, which a script can't choose.
    """
    if not fields or fields[0][0].strip().lower() != "x-sieve" or forwarder(fields) is not None:
        return None
    own = next((value for name, value in fields if name.strip().lower() in ("auto-submitted", "received")), "")
    if not _is_answer(own):
        return None
    local, at, domain = sender.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _is_answer(submitted: str) -> bool:
    return submitted.strip().lower().startswith("auto-replied (vacation)")


def refusal(fields: Fields, recipients: list[str], policy: ForwardingPolicy, sender: str = "") -> str:
    """Why mail that was sent on may not go there, "" where it may. `sender`: of the envelope. A notification's is whoever the
    script names: what comes back would go there, and From is the same.
    """
    who = forwarder(fields)
    if who is None:
        return ""
    named = sender.lower()
    if named and named != who.lower() and not named.startswith("postmaster@"):
        return f"The message is not forwarded: mail of {who or 'this account'} is not sent in the name of {sender}."
    wrong = [one for one in recipients if not policy.allows(who, one)]
    return f"The message is not forwarded: mail of {who or 'this account'} may not be forwarded to {wrong[0]}." if wrong else ""

"""Forwarded mail: whether what Sieve sends on may go where it goes, whoever wrote the script and with whichever program.

Dovecot sends it to Postfix from this machine, and puts who forwards it into a header above those of the message; so forwarding is
held to the setting here, after all pages and forms. Sieve's notifications (RFC 5436) can carry a whole text and count as well.
What is refused stays in the mailbox: a failed redirect makes Dovecot keep the message.
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
    """Whose script sends this message on, as Dovecot wrote it first; "" for a notification; None for any other mail.

    What stands below may be the script's: a `mailto:` can give a notification any header that Dovecot does not write itself.
    A redirect of ours has travelled no further than from there to here: below a Received, the header is of another server, whose
    mail a list or a content filter on this machine hands on.
    """
    travelled = False
    for name, value in fields:
        match name.strip().lower():
            case "received":
                travelled = True
            case "x-sieve-redirected-from" if not travelled:
                return value.strip().strip("<>")
            case "auto-submitted" if value.strip().lower().startswith("auto-notified"):
                owner = re.search(r'owner-email\s*=\s*"?([^";\s]+)', value)
                return owner[1] if owner else ""
    return None


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

"""Subjects of replies and forwards, without piling up "Re: Re: Fwd: RE :"."""

from __future__ import annotations

import re

# What mailers of several languages put before: Re, RE[2], Réf, Aw, Antw, Sv, Vs, Odp, Rif; Fwd, Fw, Tr, Wg, Vb, I, Rv, Enc.
_PREFIXES = re.compile(
    r"(?:\s*(?:re|réf|ref|rép|rep|aw|antw|sv|odp|rif|fwd?|tr|wg|vb|rv|enc)"
    r"\s*(?:\[\d{1,4}\]|\(\d{1,4}\)|\*\d{1,4})?\s*[:\uff1a])+\s*",
    re.I,
)


def bare_subject(subject: str) -> str:
    """The subject without what replies and forwards put before it."""
    subject = subject.strip()[:2000]
    match = _PREFIXES.match(subject)
    return subject[match.end() :] if match else subject


def reply_subject(subject: str, prefix: str = "Re: ") -> str:
    """The subject of a reply: one prefix, whatever was there before."""
    return f"{prefix}{bare_subject(subject)}".rstrip()


def forward_subject(subject: str, prefix: str = "Fwd: ") -> str:
    """The subject of a forwarded message: one prefix, whatever was there before."""
    return f"{prefix}{bare_subject(subject)}".rstrip()

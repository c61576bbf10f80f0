"""Subjects: of replies and forwarded messages, without repeated prefixes such as "Re: Re: Fwd: RE :"."""

from __future__ import annotations

import re

# Prefixes of mail clients in several languages: Re, RE[2], Réf, Rép, Aw, Antw, Sv, Odp, Rif; Fwd, Fw, Tr, Wg, Vb, Rv, Enc.
_PREFIXES = re.compile(
    r"(?:\s*(?:re|réf|ref|rép|rep|aw|antw|sv|odp|rif|fwd?|tr|wg|vb|rv|enc)"
    r"\s*(?:\[\d{1,4}\]|\(\d{1,4}\)|\*\d{1,4})?\s*[:\uff1a])+\s*",
    re.I,
)


def bare_subject(subject: str) -> str:
    """The subject without reply and forward prefixes."""
    subject = subject.strip()[:2000]
    match = _PREFIXES.match(subject)
    return subject[match.end() :] if match else subject


def reply_subject(subject: str, prefix: str = "Re: ") -> str:
    """The subject of a reply, with a single prefix."""
    return f"{prefix}{bare_subject(subject)}".rstrip()


def forward_subject(subject: str, prefix: str = "Fwd: ") -> str:
    """The subject of a forwarded message, with a single prefix."""
    return f"{prefix}{bare_subject(subject)}".rstrip()

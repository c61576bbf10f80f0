"""Signature facts: telephone numbers and sites below a text, offered for the sender's contact; never taken by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LAST = 15  # lines that may be a signature, where no line of hyphens begins one
_LONGEST = 200  # characters of a line that are looked at
_MOST = 4
_PHONE = re.compile(r"(?<![\w/.+-])(?:\+|00)?\d(?:[ ().-]{0,2}\d){7,14}(?![\w/])")
_SITE = re.compile(r"\b(?:https?://|www\.)[\w.-]+\.[a-z]{2,24}(?:/[\w./?=&%-]*)?", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    phones: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


def facts(text: str) -> SignatureFacts:
    """What stands below the text, before any quotation. Linear time."""
    lines = [line[:_LONGEST] for line in text.splitlines()]
    quoted = next((at for at, line in enumerate(lines) if line.startswith(">")), len(lines))
    lines = [line for line in lines[:quoted] if line.strip()]
    begins = max((at for at, line in enumerate(lines) if line in ("-- ", "--")), default=max(len(lines) - _LAST, 0))
    below = lines[begins:][: _LAST * 2]
    phones = [" ".join(found[0].split()) for line in below for found in _PHONE.finditer(line) if not _DATE.fullmatch(found[0])]
    sites = [found[0] for line in below for found in _SITE.finditer(line)]
    return SignatureFacts(tuple(dict.fromkeys(phones))[:_MOST], tuple(dict.fromkeys(sites))[:_MOST])

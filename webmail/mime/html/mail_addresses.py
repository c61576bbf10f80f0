"""Mail addresses in running text, and mailto: URLs: where they begin and end. For untrusted text, in linear time.

Of an address only what its neighbours allow counts: letters and digits of any script, in the domain a dot at least. There is no
list of top-level domains, which change too often.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_LOCAL = re.compile(r"[\w.+'&~-]+")  # others are allowed too, but in a text they rather stand around an address
_DOMAIN = re.compile(r"[\w.-]{1,254}")
_LONGEST_LOCAL = 64  # RFC 5321 section 4.5.3.1
_MAILTO = re.compile(r"(?<![\w.+-])mailto:", re.I)
_AFTER = ".,;:!?'\"’”»…)]}>*_"  # ends the sentence, not the URL
_PAIRS = {")": "(", "]": "[", "}": "{"}


class MailAddress(NamedTuple):
    """A place in a text: an `address`, or "" for a mailto: URL."""

    start: int
    end: int
    address: str


def find_addresses(word: str) -> Iterator[MailAddress]:
    """The addresses and mailto: URLs of a word (a run without white space), in order; a mailto: URL reaches to its end."""
    mailto = _MAILTO.search(word)
    stop = mailto.start() if mailto else len(word)
    yield from _bare(word, stop)
    if mailto:
        end = _trimmed(word, mailto.end())
        if next(_bare(re.split(r"\?", word[mailto.end() : end], maxsplit=1)[0]), None):
            yield MailAddress(mailto.start(), end, "")


def _bare(word: str, stop: int | None = None) -> Iterator[MailAddress]:
    """Looks at each "@" once, and left and right of it no further than the next one."""
    end = 0
    at = word.find("@", 0, stop)
    while at >= 0:
        start, after = _local_start(word, end, at), _domain_end(word, at + 1)
        if start < at and after and word[after : after + 1] != "@":
            yield MailAddress(start, after, word[start:after])
            end = after
        at = word.find("@", at + 1, stop)


def _local_start(word: str, floor: int, at: int) -> int:
    """Where the part before the "@" begins; `at` if there is none."""
    reach = max(floor, at - _LONGEST_LOCAL - 1)
    found = _LOCAL.match(word[reach:at][::-1])
    start = at - len(found[0]) if found else at
    if word[max(0, start - 1) : start] == "@":  # "a@b@c.example" may be anything
        return at
    local = word[start:at].lstrip(".+'&~-")
    start = at - len(local)
    odd = len(local) > _LONGEST_LOCAL or local.endswith(".") or ".." in local or word[:start].endswith("//")
    return at if odd else start


def _domain_end(word: str, start: int) -> int:
    """Where the domain ends; 0 if it is none."""
    found = _DOMAIN.match(word, start)
    domain = found[0].rstrip("._-") if found else ""
    labels = domain.split(".")
    fit = all(0 < len(label) < 64 and label[0] != "-" and label[-1] != "-" and "_" not in label for label in labels)
    end = start + len(domain)
    cut = unicodedata.category(word[end])[0] == "M" if end < len(word) else False  # an accent of its own: the name goes on
    named = len(labels) > 1 and len(labels[-1]) > 1 and not labels[-1].isdecimal()
    return end if fit and named and not cut and len(domain) < 254 else 0


def _trimmed(word: str, start: int) -> int:
    """The end of a URL without the punctuation that follows it; a bracket that the URL opened belongs to it."""
    end = len(word)
    while end > start and word[end - 1] in _AFTER:
        opened = _PAIRS.get(word[end - 1])
        if opened and opened in word[start:end]:
            break
        end -= 1
    return end

"""Excuse: a plain text that only says that the message is in HTML ("Your program does not show HTML"), or leads to a web page.

Such a text stands for an HTML of the same message, so a wrong guess loses nothing: the HTML is shown or quoted instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from webmail.mail import Message, Structure

_LONGEST_PART = 20_000  # bytes: more text than that is no excuse
_LONGEST = 8_000  # characters: the links of newsletters are long
_LONGEST_WORDS = 400  # characters without the links
_LINK = re.compile(r"<?(?:https?://|www\.)[^\s<>]{1,4000}>?", re.I)
_LETTERS = re.compile(r"[^\W_]")
_PROGRAM = (
    r"requires?|required|need|enable|support|capable|compatible|display|view|read|reader|client|version|format|"
    r"nécessite|prend|affiche|lire|lecteur|logiciel|messagerie|permet|activer|unterstütz|anzeige|angezeigt|darstell|admite|soporta|visualiz"
)
_EXCUSES = (
    rf"\b(?:{_PROGRAM})\w{{0,8}}\b.{{0,80}}\bhtml\b",
    rf"\bhtml\b.{{0,80}}\b(?:{_PROGRAM})",
    r"\b(?:view|read|see|open|display)\b.{0,60}\b(?:online|in (?:a|your|the) (?:web )?browser|web (?:version|page))\b",
    r"\b(?:voir|lire|consult|affich|visualis)\w{0,6}\b.{0,60}\b(?:en ligne|navigateur|version web|page web|sur le web)\b",
    r"\bversion en ligne\b",
    r"\bim browser (?:ansehen|öffnen|anzeigen|lesen)\b|\bonline ansehen\b",
)
_EXCUSE = re.compile("|".join(_EXCUSES), re.I)


def is_excuse(text: str) -> bool:
    """Whether a text says nothing by itself: it is empty, only links, or a short remark that HTML or a browser is needed."""
    if len(text) > _LONGEST:
        return False
    words = " ".join(_LINK.sub(" ", text).split())
    return not _LETTERS.search(words) or (len(words) <= _LONGEST_WORDS and _EXCUSE.search(words) is not None)


def may_be(shape: Structure) -> bool:
    """Whether a message's texts are small alternatives of its HTML, so that they may turn out to be excuses."""
    return bool(shape.html and shape.text) and all(part.alternative and part.size <= _LONGEST_PART for part in shape.text)


def stands_for_html(shape: Structure, bodies: Mapping[str, str]) -> bool:
    """Whether all texts of a message (`bodies` by section) are excuses, and its HTML has what it says."""
    return may_be(shape) and all(is_excuse(bodies.get(part.section, "")) for part in shape.text)


def without(message: Message) -> Message:
    """The message without its texts that are alternatives of its HTML."""
    gone = {part.section for part in message.structure.text if part.alternative}
    return replace(message, bodies={section: body for section, body in message.bodies.items() if section not in gone})

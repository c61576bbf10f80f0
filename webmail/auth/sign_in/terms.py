"""Terms of use: the establishment's text, which people accept before anything else, once for each version. No Flask here."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from webmail.config.settings import Settings
from webmail.errors import EnglishText as _l
from webmail.models import User, now

log = logging.getLogger(__name__)

LONGEST = 200_000  # bytes
_LANGUAGES = ("fr", "en")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_MARKS = {
    "title": re.compile(r"#{1,6}\s+"),
    "bullets": re.compile(r"\s{0,3}[-*•–]\s+"),
    "numbers": re.compile(r"\s{0,3}\d{1,3}[.)]\s+"),
}


class TermsUnreadableError(Exception):
    """The text can't be shown: words for the administrator."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the text. `kind`: title, text (its lines), bullets or numbers (its items; `first` is the first number)."""

    kind: str
    lines: tuple[str, ...]
    first: int = 1


def must_accept(user: User, settings: Settings) -> bool:
    """Whether this person has to accept the terms now. No query; reads the file for those who have not accepted them yet.

    Nobody is held up by a text that can't be shown: that is for the administrator to mend (`flask doctor`).
    """
    return bool(settings.terms_version) and user.terms != settings.terms_version and bool(text(settings, ""))


def text(settings: Settings, language: str) -> str:
    """The text in this language, else in another; "" where there are no terms, or none that can be read.

    A file that config.toml names wins over what a page of administration holds.
    """
    if not settings.terms_file:
        return _CONTROLS.sub("", settings.presentation.terms.in_language(language)).strip()
    for file in files(settings, language):
        try:
            return read(file)
        except TermsUnreadableError as error:
            log.error("the terms of use are not shown: %s", error)
    return ""


def files(settings: Settings, language: str) -> list[Path]:
    """Where the text may be, best first: beside `terms_file` there are others in one language each. Empty without terms."""
    if not settings.terms_file:
        return []
    plain = Path(settings.instance, settings.terms_file)
    own = {one: plain.with_suffix(f".{one}{plain.suffix}") for one in _LANGUAGES}
    found = [own[one] for one in (language, settings.language, *_LANGUAGES) if one in own and own[one].is_file()]
    if language in own and own[language] in found:
        return [own[language], plain]
    return [plain] if plain.is_file() or not found else found


def read(file: Path) -> str:
    """One of these files. Raises TermsUnreadableError."""
    try:
        with file.open("rb") as opened:
            data = opened.read(LONGEST + 1)
    except OSError as error:
        raise TermsUnreadableError(_l("%(file)s can’t be read (%(why)s)", file=file, why=error.strerror)) from error
    if len(data) > LONGEST:
        raise TermsUnreadableError(_l("%(file)s is too large: %(most)s bytes at most", file=file, most=LONGEST))
    try:
        found = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TermsUnreadableError(_l("%(file)s is not UTF-8: save it again in that encoding", file=file)) from error
    found = _CONTROLS.sub("", found.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not found:
        raise TermsUnreadableError(_l("%(file)s is empty", file=file))
    return found


def accept(user: User, version: str, settings: Settings) -> bool:
    """Store that the person accepts this version; False if it is no longer the one to accept, or there are no terms."""
    if not version or version != settings.terms_version:
        return False
    user.terms, user.terms_at = version, now()
    User.update(terms=user.terms, terms_at=user.terms_at).where(User.id == user.id).execute()
    return True


def blocks(found: str) -> list[Block]:
    """The text in pieces, divided by empty lines: lists begin with "-" or "1." in each of their lines, titles with "#"."""
    pieces: list[list[str]] = [[""]]
    before = ""
    for line in found.split("\n"):
        kind = _kind(line, before)
        if kind != before or kind == "title":
            pieces.append([kind])
        pieces[-1].append(line)
        before = kind
    return [_block(kind, lines) for kind, *lines in pieces if kind]


def _kind(line: str, before: str) -> str:
    """What a line is, after one of another kind; "" for an empty one."""
    if not line.strip():
        return ""
    kind = next((kind for kind, mark in _MARKS.items() if mark.match(line)), "text")
    goes_on = kind == "text" and before in ("bullets", "numbers") and line.startswith((" ", "\t"))
    return before if goes_on else kind


def _block(kind: str, lines: list[str]) -> Block:
    if kind == "text":
        return Block(kind, tuple(lines))
    mark = _MARKS[kind]
    items: list[list[str]] = []
    for line in lines:
        if mark.match(line):
            items.append([])
        items[-1].append(mark.sub("", line, count=1).strip())
    number = re.match(r"\s*(\d+)", lines[0])
    return Block(kind, tuple(" ".join(item) for item in items), int(number[1]) if number else 1)

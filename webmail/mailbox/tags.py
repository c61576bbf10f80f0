"""Tags: names and colours that a person gives to IMAP keywords (RFC 3501 section 2.3.2). The messages carry the keywords."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

import peewee as pw

from webmail.database.connection import db
from webmail.database.prepared import Prepared
from webmail.errors import LimitReached
from webmail.models import Tag, User

COLOURS = ("grey", "red", "orange", "green", "teal", "blue", "purple", "pink")
MOST = 100  # of one person
_LONGEST_NAME = 60
_LONGEST_KEYWORD = 40  # of one made here; others may be longer
_KEYWORD = re.compile(r"[A-Za-z0-9$!#&'+,./:;<=>?@^_`|~-]+\Z")

# Known by all programs (RFC 5788's registry, and Thunderbird's five labels); their words are the views' business.
STANDARD = (
    "$Important", "$Phishing", "$Junk", "$NotJunk", "$Forwarded", "$MDNSent",
    "$label1", "$label2", "$label3", "$label4", "$label5",
)  # fmt: skip
# other programs' words for the same
_SAME = {"junk": "$Junk", "nonjunk": "$NotJunk", "notjunk": "$NotJunk", "forwarded": "$Forwarded", "receipt-handled": "$MDNSent"}
_TECHNICAL = {"$hasattachment", "$hasnoattachment", "$submitted", "$submitpending"}  # told otherwise, or nobody's business
_QUIET = {"$NotJunk", "$Forwarded", "$MDNSent"}  # said on the message's own page, not on each row
_BY_LOWER = {word.lower(): word for word in STANDARD} | _SAME


class NameTaken(ValueError):
    """Another tag of this person has this name."""


class BadTagName(ValueError):
    """Empty, or longer than 60 characters."""


_of = Prepared(lambda slot: Tag.select().where(Tag.user == slot("user")))


def for_user(user: User) -> list[Tag]:
    """A person's tags by name. One SELECT."""
    return sorted(_of(user=user.id), key=lambda tag: tag.name.casefold())


def get(user: User, keyword: str) -> Tag | None:
    """Keywords are the same in whatever letters (RFC 3501)."""
    return next((tag for tag in for_user(user) if tag.keyword.lower() == keyword.lower()), None)


def add(user: User, name: str, colour: str = "", keyword: str = "") -> Tag:
    """A new tag, with a keyword derived from its name, or for one that messages have already.

    Raises BadName, NameTaken, TooMany.
    """
    with db.atomic():
        others = for_user(user)
        name = _checked(name, others)
        if len(others) >= MOST:
            raise LimitReached
        taken = [tag.keyword for tag in others]
        if not _KEYWORD.match(keyword) or len(keyword) > _LONGEST_NAME or keyword.lower() in map(str.lower, taken):
            keyword = derive(name, taken)
        return Tag.create(user=user, name=name, keyword=keyword, colour=_colour(colour))


def change(user: User, keyword: str, name: str, colour: str) -> bool:
    """Another name or colour; the keyword stays, and with it the messages' tags. Raises BadName, NameTaken."""
    with db.atomic():
        tag = get(user, keyword)
        if tag is None:
            return False
        tag.name = _checked(name, [other for other in for_user(user) if other.id != tag.id])
        tag.colour = _colour(colour)
        tag.save()
        return True


def remove(user: User, keyword: str) -> bool:
    """Forget the name and the colour; the messages keep the keyword until it is taken off them."""
    tag = get(user, keyword)
    return bool(tag and Tag.delete().where(Tag.id == tag.id).execute())


def keyword_for(user: User, words: str) -> str:
    """The keyword that `tag:WORDS` in the search box means: a tag's name, a keyword, one's own or known to all; "" for none."""
    wanted = " ".join(words.split()).casefold()
    tags = for_user(user)
    for tag in tags:
        if wanted in (tag.name.casefold(), tag.keyword.lower()):
            return tag.keyword
    if found := _BY_LOWER.get(wanted) or _BY_LOWER.get(f"${wanted}"):
        return found
    derived = derive(words, [])
    return words.strip() if _KEYWORD.match(words.strip()) else next((t.keyword for t in tags if t.keyword == derived), "")


def derive(name: str, taken: Collection[str]) -> str:
    """An ASCII keyword that resembles the name and that nobody of `taken` has: "À relire !" -> "A_relire"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    base = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:_LONGEST_KEYWORD] or "Tag"
    used = {word.lower() for word in taken} | set(_SAME) | _TECHNICAL
    candidate, number = base, 1
    while candidate.lower() in used:
        number += 1
        candidate = f"{base}_{number}"
    return candidate


def shown(flags: Iterable[str], mine: Mapping[str, Tag], *, all_of_them: bool = False) -> list[tuple[str, Tag | None]]:
    """The tags among a message's flags, as (keyword, the person's tag or None), hers first.

    `mine` are her tags by keyword in small letters. Without `all_of_them`, what a row tells otherwise is left out.
    """
    found: dict[str, Tag | None] = {}
    for flag in flags:
        low = flag.lower()
        if flag.startswith("\\") or low in _TECHNICAL:
            continue
        tag = mine.get(low)
        keyword = tag.keyword if tag else _BY_LOWER.get(low, flag)
        if all_of_them or tag or keyword not in _QUIET:
            found[keyword] = tag
    return sorted(found.items(), key=lambda item: (item[1] is None, item[1].name.casefold() if item[1] else item[0].lower()))


def is_system(keyword: str) -> bool:
    """Whether programs set it for themselves ($MDNSent, $Junk), so that nobody wants it as a tag of their own."""
    return keyword.startswith("$") and keyword != "$Important" and not keyword.lower().startswith("$label")


def any_keyword(flags: Iterable[str]) -> bool:
    """Whether a row may have something to show: asked of each row, before the database is."""
    return any(flag[:1] != "\\" and flag.lower() not in _TECHNICAL for flag in flags)


def _checked(name: str, others: Sequence[Tag]) -> str:
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadTagName
    if any(tag.name.casefold() == name.casefold() for tag in others):
        raise NameTaken
    return name


def _colour(colour: str) -> str:
    return colour if colour in COLOURS else COLOURS[0]


def by_keyword(user: User) -> dict[str, Tag]:
    """A person's tags by keyword in small letters; none while the database is away: a list is of use without their names."""
    try:
        return {tag.keyword.lower(): tag for tag in for_user(user)}
    except pw.OperationalError:
        return {}

"""Tags: names and colours that users give to IMAP keywords (RFC 3501 section 2.3.2). Messages carry only the keywords."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from webmail.database.connection import db
from webmail.database.prepared import Prepared
from webmail.errors import LimitReachedError
from webmail.models import Tag, User

COLOURS = ("grey", "red", "orange", "green", "teal", "blue", "purple", "pink")
MOST = 100  # per user
_LONGEST_NAME = 60
_LONGEST_KEYWORD = 40  # of keywords derived here; existing ones may be longer
_KEYWORD = re.compile(r"[A-Za-z0-9$!#&'+,./:;<=>?@^_`|~-]+\Z")

# Known to most mail clients (the registry of RFC 5788, and Thunderbird's five labels); the views translate them.
STANDARD = (
    "$Important", "$Phishing", "$Junk", "$NotJunk", "$Forwarded", "$MDNSent", "$AwaitingReply",
    "$label1", "$label2", "$label3", "$label4", "$label5",
)  # fmt: skip
# other clients' names for the same
_SAME = {"junk": "$Junk", "nonjunk": "$NotJunk", "notjunk": "$NotJunk", "forwarded": "$Forwarded", "receipt-handled": "$MDNSent"}
_TECHNICAL = {
    "$hasattachment",
    "$hasnoattachment",
    "$submitted",
    "$submitpending",
    "$encrypted",
    "$signed",
    "$keepencrypted",
}  # never shown as tags
_QUIET = {"$NotJunk", "$Forwarded", "$MDNSent"}  # shown on the message's page only, not in lists
_BY_LOWER = {word.lower(): word for word in STANDARD} | _SAME


class NameTakenError(ValueError):
    """Another tag of the user has this name."""


class BadTagNameError(ValueError):
    """Empty, or longer than 60 characters."""


_of = Prepared(lambda slot: Tag.select().where(Tag.user == slot("user")))


def for_user(user: User) -> list[Tag]:
    """The user's tags, sorted by name, "À relire" among those with A. 1 query."""
    return sorted(_of(user=user.id), key=lambda tag: _in_order(tag.name))


@lru_cache(maxsize=2000)
def _in_order(name: str) -> tuple[str, str]:
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return plain.casefold(), name


def get(user: User, keyword: str) -> Tag | None:
    """The user's tag for this keyword, or None. Keywords are case-insensitive (RFC 3501)."""
    return next((tag for tag in for_user(user) if tag.keyword.lower() == keyword.lower()), None)


def add(user: User, name: str, colour: str = "", keyword: str = "") -> Tag:
    """Create a tag, with a keyword derived from its name, or for an existing `keyword` of messages.

    Raises BadTagNameError, NameTakenError, LimitReachedError.
    """
    with db.atomic():
        others = for_user(user)
        name = _checked(name, others)
        if len(others) >= MOST:
            raise LimitReachedError
        taken = [tag.keyword for tag in others]
        if not _KEYWORD.match(keyword) or len(keyword) > _LONGEST_NAME or keyword.lower() in map(str.lower, taken):
            keyword = derive(name, taken)
        return Tag.create(user=user, name=name, keyword=keyword, colour=_colour(colour))


def named(user: User, name: str, colour: str = "") -> Tag:
    """The user's tag of this name, created unless it is there. Raises BadTagNameError, LimitReachedError."""
    wanted = " ".join(unicodedata.normalize("NFC", name).split()).casefold()
    there = next((tag for tag in for_user(user) if tag.name.casefold() == wanted), None)
    return there or add(user, name, colour)


def change(user: User, keyword: str, name: str, colour: str) -> bool:
    """Change name or colour; the keyword stays, so messages keep the tag. Returns False if it is gone.

    Raises BadTagNameError, NameTakenError.
    """
    with db.atomic():
        tag = get(user, keyword)
        if tag is None:
            return False
        tag.name = _checked(name, [other for other in for_user(user) if other.id != tag.id])
        tag.colour = _colour(colour)
        tag.save()
        return True


def remove(user: User, keyword: str) -> bool:
    """Delete the tag's name and colour; messages keep the keyword until it is removed from them."""
    tag = get(user, keyword)
    return bool(tag and Tag.delete().where(Tag.id == tag.id).execute())


def keyword_for(user: User, text: str) -> str:
    """The keyword for `tag:WORDS` in a search: WORDS is a tag's name, or a keyword, own or standard; "" if there is none."""
    return _meant(text, for_user(user))


def search_words(keyword: str, mine: Sequence[Tag]) -> str:
    """The search for the messages with this keyword: `tag:NAME`, or `tag:KEYWORD` where the name means another tag (of `mine`,
    all of the user's) or cannot be quoted."""
    name = next((tag.name for tag in mine if tag.keyword.lower() == keyword.lower()), "")
    if name and not _QUOTES.search(name) and _meant(name, mine).lower() == keyword.lower():
        return f"tag:{_quoted(name)}"
    return f"tag:{_quoted(keyword)}"


_QUOTES = re.compile(r'["“”„‟«»‹›\\]')  # a search takes each of them for the end of what is quoted


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[$\w.-]+", text) else f'"{text}"'


def _meant(text: str, mine: Sequence[Tag]) -> str:
    wanted = " ".join(text.split()).casefold()
    for tag in mine:
        if wanted in (tag.name.casefold(), tag.keyword.lower()):
            return tag.keyword
    if found := _BY_LOWER.get(wanted) or _BY_LOWER.get(f"${wanted}"):
        return found
    derived = derive(text, [])
    return text.strip() if _KEYWORD.match(text.strip()) else next((t.keyword for t in mine if t.keyword == derived), "")


def derive(name: str, taken: Collection[str]) -> str:
    """A unique ASCII keyword similar to the name and not in `taken`: "À relire !" -> "A_relire"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    base = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:_LONGEST_KEYWORD] or "Tag"
    used = {word.lower() for word in taken} | set(_SAME) | _TECHNICAL
    candidate, number = base, 1
    while candidate.lower() in used:
        number += 1
        candidate = f"{base}_{number}"
    return candidate


def tags_among(flags: Iterable[str], mine: Mapping[str, Tag], *, all_of_them: bool = False) -> list[tuple[str, Tag | None]]:
    """The tags among a message's flags, as (keyword, the user's tag or None), the user's own first.

    `mine`: the user's tags by lower-case keyword. Without `all_of_them`, those not shown in lists are left out.
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
    """Whether mail clients set the keyword automatically ($MDNSent, $Junk, NonJunk), so it is not offered as a tag."""
    keyword = _BY_LOWER.get(keyword.lower(), keyword)
    return keyword.startswith("$") and keyword != "$Important" and not keyword.lower().startswith("$label")


def any_keyword(flags: Iterable[str]) -> bool:
    """Whether a row may have tags to show: a cheap check of each row before querying the database."""
    return any(flag[:1] != "\\" and flag.lower() not in _TECHNICAL for flag in flags)


def _checked(name: str, others: Sequence[Tag]) -> str:
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadTagNameError
    if any(tag.name.casefold() == name.casefold() for tag in others):
        raise NameTakenError
    return name


def _colour(colour: str) -> str:
    return colour if colour in COLOURS else COLOURS[0]


def by_keyword(found: Iterable[Tag]) -> dict[str, Tag]:
    """Tags by lower-case keyword, in the order of `for_user`."""
    return {tag.keyword.lower(): tag for tag in sorted(found, key=lambda tag: _in_order(tag.name))}

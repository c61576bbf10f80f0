"""Signatures: those of a user, as plain or formatted text with at most one picture, and the words each puts into a message.

A formatted one has two forms: its Markdown, for formatted messages, and its plain text, for all others. Both are recognised in a
text, and a message leaves with the one that fits it. The picture is no file of the draft: the text names it, and it is fetched
from here when the message is built.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from webmail.compose.drafts import message_options
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.database.prepared import Prepared
from webmail.errors import LimitReachedError, MailError
from webmail.mime.formats import image_info
from webmail.mime.formats.cards import pictures as picture_files
from webmail.mime.headers.filenames import safe_name
from webmail.mime.html import markdown
from webmail.mime.html import markdown_images as marks
from webmail.mime.html.to_text import html_to_text
from webmail.models import Signature, User

MOST = 50  # of a user
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
# all but the bytes of the picture
COLUMNS = (Signature.id, Signature.user, Signature.name, Signature.text, Signature.format, Signature.picture_name)


class PictureRefusedError(MailError):
    """The file is no picture that can be read, or can't be made small enough."""

    status = 422


@dataclass(frozen=True, slots=True)
class SignaturePicture:
    """The picture of a signature, by the name that texts refer to it by."""

    number: int  # of the signature
    name: str
    type: str
    data: bytes


# --- a user's ----------------------------------------------------------------------------------------------------------


_of_user = Prepared(
    lambda slot: Signature.select(*COLUMNS).where(Signature.user == slot("user")).order_by(Signature.name, Signature.id)
)


def of_user(user: User) -> list[Signature]:
    """All signatures of a user, by name, without the bytes of their pictures. 1 query."""
    return _of_user(user=user.id)


def save(signature: Signature) -> None:
    """Create or update a signature. Raises LimitReachedError."""
    signature.text = tidy(signature.text)
    with db.atomic():
        if not signature.id:
            in_turn(signature.user)
            if Signature.select().where(Signature.user == signature.user).count() >= MOST:
                raise LimitReachedError(f"{signature.user.address} has {MOST} signatures")
        signature.save()


def tidy(text: str) -> str:
    """Normalise a signature so that it is found again in a message: LF, no trailing spaces, no separator line."""
    lines = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    return text.removeprefix("--\n").strip("\n")


# --- its two forms -----------------------------------------------------------------------------------------------------


def is_formatted(signature: Signature) -> bool:
    return bool(signature.format == message_options.FORMATTED)


def text_in(signature: Signature | None, wanted: str) -> str:
    """What the signature (None: no words) puts into a message of this format."""
    if signature is None:
        return ""
    formatted = is_formatted(signature) and wanted != message_options.FORMATTED
    return plain(str(signature.text)) if formatted else str(signature.text)


def texts(signature: Signature | None) -> list[str]:
    """The forms by which a text may hold it: what was typed, and the plain text of a formatted one."""
    if signature is None:
        return []
    return list(dict.fromkeys(text_in(signature, one) for one in (message_options.FORMATTED, "")))


@lru_cache(1024)
def plain(text: str) -> str:
    """Formatted text as plain text; pictures are left out."""
    return tidy(html_to_text(markdown.to_html(marks.replaced(text, lambda _words, _name: ""))))


# --- its picture -------------------------------------------------------------------------------------------------------


def put_picture(signature: Signature, name: str, data: bytes) -> None:
    """Give a formatted signature this picture, made small, in place of the one it has. Raises PictureRefusedError.

    Its name has a digest of the bytes: two signatures may each have a "logo.png".
    """
    small = picture_files.for_signature(data)
    kind = image_info.displayable_type(small)
    if kind not in marks.TYPES:
        raise PictureRefusedError(f"{name!r} is no picture")
    stem = safe_name(name).rpartition(".")[0] or safe_name(name)
    named = f"{stem[:60]}-{hashlib.sha256(small).hexdigest()[:8]}.{kind.rpartition('/')[2].replace('jpeg', 'jpg')}"
    before, words = signature.picture_name or "", marks.words_for(f"{stem}.png")

    def renamed(said: str, found: str) -> str | None:
        return marks.mark(said, named) if found == marks.key(before) else None

    text = marks.replaced(str(signature.text or ""), renamed) if before else str(signature.text or "")
    if marks.key(named) not in {found for _said, found in marks.marks(text)}:
        text = "\n\n".join(filter(None, [text.rstrip("\n"), marks.mark(words, named)]))
    signature.text, signature.picture, signature.picture_name = text, base64.b64encode(small).decode(), named


def drop_picture(signature: Signature) -> None:
    """Take the picture from a signature, and from its text."""
    gone = marks.key(signature.picture_name or "")
    if gone:
        signature.text = marks.replaced(str(signature.text), lambda _words, found: "" if found == gone else None)
    signature.picture, signature.picture_name = "", ""


def shows_picture(signature: Signature) -> bool:
    """Whether the text refers to the picture."""
    name = marks.key(signature.picture_name or "")
    return bool(name) and name in {found for _words, found in marks.marks(str(signature.text))}


def pictures(user: User, names: Iterable[str]) -> dict[str, SignaturePicture]:
    """The pictures of a user's signatures with these names, by the key of the name, which is what `names` are. 2 queries, 1 if
    there is none of them."""
    wanted = set(names)
    numbers = [one.id for one in of_user(user) if one.picture_name and marks.key(one.picture_name) in wanted]
    rows = list(Signature.select().where(Signature.id.in_(numbers))) if numbers else []
    return {marks.key(row.picture_name): _picture_of(row) for row in rows}


def picture_keys(user: User) -> set[str]:
    """The keys of the names of all their pictures. 1 query."""
    return {marks.key(one.picture_name) for one in of_user(user) if one.picture_name}


def picture(user: User, number: int) -> SignaturePicture | None:
    """That of one of the user's signatures (by `id`), if it has one. 1 query."""
    row = Signature.get_or_none((Signature.id == number) & (Signature.user == user) & (Signature.picture != ""))
    return _picture_of(row) if row else None


def _picture_of(row: Signature) -> SignaturePicture:
    data = base64.b64decode(row.picture)
    return SignaturePicture(row.id, row.picture_name, image_info.displayable_type(data), data)

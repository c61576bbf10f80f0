"""Quoting: the text of a message being replied to, forwarded or resumed, with marks where its inline images belong."""

from __future__ import annotations

from dataclasses import dataclass, field

from webmail.compose import reply, uploads
from webmail.errors import NoSuchMessage
from webmail.imap import messages
from webmail.imap.connection import Connection
from webmail.mail import Message, Part
from webmail.mime import filenames, plain_text
from webmail.mime.html import markdown
from webmail.mime.html import markdown_images as marks

MOST_PLACES = 100  # image marks in one text, repetitions included: HTML may show the same image thousands of times
_TEXT_SHARE = 20  # one twentieth of the room is reserved for the text


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quoted text. `names`: the file names that its image marks use, by part section."""

    text: str
    names: dict[str, str] = field(default_factory=dict)


def plain(connection: Connection, message: Message, *, signed: bool = True) -> Quoted:
    """The text without images; `signed`: with the sender's signature. Up to 2 round trips if the message has no plain text."""
    return Quoted(reply.text_of(connection, message, signed=signed))


def with_pictures(connection: Connection, message: Message, room: int, *, alone: bool) -> Quoted:
    """The text with marks for the images that its HTML refers to, as far as they fit into `room` bytes.

    `alone`: only these images are copied to the draft, not the other files, so a subset of them is fine. A text too long to be
    formatted gets no marks. Up to 2 round trips if the message has inline images.
    """
    carried = reply.carried_parts(message)[: reply.MOST_PARTS]
    parts = {part.content_id: part for part in reply.carried_parts(message) if part.content_id}  # the last duplicate wins
    parts = {name: part for name, part in parts.items() if part.type in marks.TYPES and (alone or part in carried)}
    room -= room // _TEXT_SHARE
    if not parts or not message.structure.html or (not alone and sum(part.size for part in carried) > room):
        return plain(connection, message)
    try:
        source, *_ = messages.html(connection, message.mailbox, message.uid, message.uidvalidity, inside=message.section)
    except NoSuchMessage:
        return plain(connection, message)
    writer = _Places(parts, room, {_key(part, number) for number, part in enumerate(carried, 1) if part not in parts.values()})
    made = plain_text.html_to_text(source, writer.picture).rstrip()
    if message.structure.text:  # prefer the author's own plain text if the images can be placed in it
        made = marks.woven(reply.text_of(connection, message), writer.seen) or made
    if not writer.names or not markdown.is_read(plain_text.quote(made)):
        return plain(connection, message)
    return Quoted(made, writer.names)


def _key(part: Part, number: int) -> str:
    return marks.key(reply.name_of(part, number))


class _Places:
    """Gives each image a unique name at its first occurrence, and records all occurrences."""

    def __init__(self, parts: dict[str, Part], room: int, taken: set[str]) -> None:
        self.names: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []  # (alternative text, name), in order
        self._parts, self._room, self._taken = parts, room, taken

    def picture(self, content_id: str, words: str) -> str:
        """The mark for the part with this Content-ID; "" if there is none or a limit is reached."""
        part = self._parts.get(content_id.strip("<> "))
        if part is None or len(self.seen) >= MOST_PLACES or (part.section not in self.names and not self._takes(part)):
            return ""
        name = self.names[part.section]
        self.seen.append((" ".join(words.split()), name))
        return marks.mark(words, name)

    def _takes(self, part: Part) -> bool:
        if len(self.names) >= reply.MOST_PARTS or part.size > self._room:
            return False
        self._room -= part.size
        fallback = f"picture.{part.type.partition('/')[2]}"
        name = filenames.safe_name(uploads.clean_filename(part.filename, fallback)) or fallback
        self.names[part.section] = marks.distinct(name, self._taken)
        self._taken.add(marks.key(self.names[part.section]))
        return True

"""The text of a message that is answered, sent on or taken up again, with its own pictures in their places."""

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

MOST_PLACES = 100  # pictures in one text, each as often as it is shown: a letter may name one ten thousand times
_TEXT_SHARE = 20  # a twentieth of the room stays for the text


@dataclass(frozen=True, slots=True)
class Quoted:
    """`names`: what the pictures that have a place in the text are called there, by their section."""

    text: str
    names: dict[str, str] = field(default_factory=dict)


def plain(connection: Connection, message: Message) -> Quoted:
    """The text alone."""
    return Quoted(reply.text_of(connection, message))


def with_pictures(connection: Connection, message: Message, room: int, *, alone: bool) -> Quoted:
    """The text with marks for the pictures that its HTML refers to, as far as `room` bytes of a message hold them.

    `alone`: only they are carried along, not the other files, so that some may come without the others. Where the text would be
    too long to be formatted it has no marks. Up to 2 round trips, where the message has such pictures.
    """
    carried = reply.carried_parts(message)[: reply.MOST_PARTS]
    parts = {part.content_id: part for part in reply.carried_parts(message) if part.content_id}  # of several the last, as shown
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
    if message.structure.text:  # where it has the pictures' words, it is what its author wrote
        made = marks.woven(reply.text_of(connection, message), writer.seen) or made
    if not writer.names or not markdown.is_read(plain_text.quote(made)):
        return plain(connection, message)
    return Quoted(made, writer.names)


def _key(part: Part, number: int) -> str:
    return marks.key(reply.name_of(part, number))


class _Places:
    """Gives each picture a name of its own where it is met first, and notes all places."""

    def __init__(self, parts: dict[str, Part], room: int, taken: set[str]) -> None:
        self.names: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []  # words and name, in order
        self._parts, self._room, self._taken = parts, room, taken

    def picture(self, content_id: str, words: str) -> str:
        """The mark of the part with this Content-ID, "" for none or one too many."""
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

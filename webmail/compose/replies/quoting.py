"""Quoting: the text of a message being replied to, forwarded or resumed, with marks where its inline images belong."""

from __future__ import annotations

from webmail.compose.attachments import uploads
from webmail.compose.replies import originals, reply
from webmail.compose.replies.reply import Quoted
from webmail.errors import NoSuchMessageError
from webmail.imap.connections.connection import Connection
from webmail.imap.reading import messages
from webmail.mail import Message, Part
from webmail.mime import builder
from webmail.mime.headers import filenames
from webmail.mime.html import markdown, quoted_html
from webmail.mime.html import markdown_images as marks
from webmail.mime.text import plain_text, their_signature

MOST_PLACES = 100  # image marks in one text, repetitions included: HTML may show the same image thousands of times
_TEXT_SHARE = 20  # one twentieth of the room is reserved for the text


def plain(connection: Connection, message: Message, *, signed: bool = True) -> Quoted:
    """The text without images; `signed`: with the sender's signature. Up to 2 round trips if the message has no plain text."""
    return Quoted(reply.text_of(connection, message, signed=signed))


def quoted_content(
    connection: Connection, message: Message, space: int, domain: str, *, signed: bool = True, remote: bool = False
) -> Quoted:
    """The HTML, cleaned, with those of its pictures that fit into `space` bytes; the text if it has no HTML to speak of.

    `domain` is for the Content-IDs of the pictures, `remote` as in `kept_html.cleaned`. Up to 2 round trips.
    """
    source = reply.html_of(connection, message)
    chosen = _PictureIds(_pictures(message), space - space // _TEXT_SHARE - len(source), domain)
    html = quoted_html.cleaned(source if signed else their_signature.cut_html(source), chosen.content_id, remote=remote)
    if not chosen.ids and not quoted_html.as_text(html):
        return plain(connection, message, signed=signed)
    return Quoted("", html=html, content_ids=chosen.ids)


def resumed(connection: Connection, message: Message) -> Quoted:
    """The text of a formatted draft of ours, as typed, and the original below it, unless another program changed the text.

    Up to 2 round trips.
    """
    if not message.structure.text:
        return plain(connection, message)
    text = reply.plain_of(message)
    found = quoted_html.found_in(reply.html_of(connection, message))
    below = plain_text.unflow(plain_text.flow(quoted_html.as_text(found))).rstrip()
    if not found or not text.endswith(below):
        return Quoted(text)
    parts, ids = _pictures(message), {}

    def content_id(name: str) -> str | None:
        if name not in parts or len(name) > originals.LONGEST_ID:
            return None
        ids[parts[name].section] = name
        return name

    html = quoted_html.cleaned(found, content_id, remote=True)  # once more: it was out of our hands
    return Quoted(text[: len(text) - len(below)].rstrip("\n"), html=html, content_ids=ids)


def _pictures(message: Message) -> dict[str, Part]:
    """The parts that HTML may show, by Content-ID; of two with one id, the last."""
    parts = {part.content_id: part for part in reply.carried_parts(message) if part.content_id}
    return {name: part for name, part in parts.items() if part.type in marks.TYPES}


class _PictureIds:
    """Gives each picture that the HTML shows a new Content-ID, as long as they fit."""

    def __init__(self, parts: dict[str, Part], space: int, domain: str) -> None:
        self.ids: dict[str, str] = {}  # by part section
        self._parts, self._room, self._domain = parts, space, domain

    def content_id(self, name: str) -> str | None:
        part = self._parts.get(name)
        if part is None:
            return None
        if part.section not in self.ids:
            if part.size > self._room or len(self.ids) >= reply.MOST_PARTS:
                return None
            self._room -= part.size
            self.ids[part.section] = builder.new_message_id(self._domain).strip("<>")
        return self.ids[part.section]


def with_pictures(connection: Connection, message: Message, space: int, *, alone: bool, signed: bool = True) -> Quoted:
    """The text with marks for the images that its HTML refers to, as far as they fit into `space` bytes.

    `alone`: only these images are copied to the draft, not the other files, so a subset of them is fine. A text too long to be
    formatted gets no marks. Up to 2 round trips if the message has inline images.
    """
    carried = reply.carried_parts(message)[: reply.MOST_PARTS]
    parts = {name: part for name, part in _pictures(message).items() if alone or part in carried}
    space -= space // _TEXT_SHARE
    if not parts or not message.structure.html or (not alone and sum(part.size for part in carried) > space):
        return plain(connection, message, signed=signed)
    try:
        source, *_ = messages.html(connection, message.mailbox, message.uid, message.uidvalidity, inside=message.section)
    except NoSuchMessageError:
        return plain(connection, message, signed=signed)
    writer = _Places(parts, space, {_key(part, number) for number, part in enumerate(carried, 1) if part not in parts.values()})
    made = plain_text.html_to_text(source if signed else their_signature.cut_html(source), writer.picture).rstrip()
    if message.structure.text:  # prefer the author's own plain text if the images can be placed in it
        made = marks.woven(reply.text_of(connection, message, signed=signed), writer.seen) or made
    if not writer.names or not markdown.is_read(plain_text.quote(made)):
        return plain(connection, message, signed=signed)
    return Quoted(made, writer.names)


def _key(part: Part, number: int) -> str:
    return marks.key(reply.name_of(part, number))


class _Places:
    """Gives each image a unique name at its first occurrence, and records all occurrences."""

    def __init__(self, parts: dict[str, Part], space: int, taken: set[str]) -> None:
        self.names: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []  # (alternative text, name), in order
        self._parts, self._room, self._taken = parts, space, taken

    def picture(self, content_id: str, text: str) -> str:
        """The mark for the part with this Content-ID; "" if there is none or a limit is reached."""
        part = self._parts.get(content_id.strip("<> "))
        if part is None or len(self.seen) >= MOST_PLACES or (part.section not in self.names and not self._takes(part)):
            return ""
        name = self.names[part.section]
        self.seen.append((" ".join(text.split()), name))
        return marks.mark(text, name)

    def _takes(self, part: Part) -> bool:
        if len(self.names) >= reply.MOST_PARTS or part.size > self._room:
            return False
        self._room -= part.size
        fallback = f"picture.{part.type.partition('/')[2]}"
        name = filenames.safe_name(uploads.clean_filename(part.filename, fallback)) or fallback
        self.names[part.section] = marks.distinct(name, self._taken)
        self._taken.add(marks.key(self.names[part.section]))
        return True

"""Opened parts: the frame with what was inside a protected part, and the files in it, opened anew for each request.

Nothing of them is written anywhere: no file, no cache, none in the browser. Nothing remote is loaded from what was encrypted.
"""

from __future__ import annotations

from flask import Response, request
from markupsafe import Markup

from webmail.errors import NoSuchMessageError
from webmail.keys.messages import opening
from webmail.keys.messages.opening import OpenedPart
from webmail.mail import Part, Structure
from webmail.message.blueprint import blueprint
from webmail.message.views.encryption.protected_page import current_reader, source_of
from webmail.message.views.html_frame import DARK, asked_scheme, cleaned, frame
from webmail.message.views.safe_responses import as_file
from webmail.message.views.text_bodies import cut_label
from webmail.mime import structure
from webmail.mime.headers import headers
from webmail.mime.html.sanitizer import Cleaned
from webmail.mime.parser import ParsedMessage
from webmail.mime.protected import header_reading
from webmail.mime.text import plain_text
from webmail.mime.transfer_encoding import decode_transfer
from webmail.mime.tree import PartNode
from webmail.web.current import preferences
from webmail.web.forms.request_values import uidvalidity
from webmail.web.message_links import requested_message_url

_LARGEST_TEXT = 1_000_000  # bytes of a text that a frame shows
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_SAFE = ("application/pdf", "application/zip", "text/plain")


@blueprint.get("/opened/<int:uid>/<int:number>/<path:mailbox>")
def show_opened(uid: int, number: int, mailbox: str) -> Response:
    """The text of a protected part as a page for its frame; `number` counts from 1."""
    part = opened_part(uid, number, mailbox)
    content = part.content or b""
    found = _block(part) if part.is_text else _text(part, content, uid, number, mailbox)
    return _unkept(frame(found, cut=found.cut, remote=found.remote, with_images=""))


@blueprint.get("/opened-file/<int:uid>/<int:number>/<section>/<path:mailbox>")
def opened_file(uid: int, number: int, section: str, mailbox: str) -> Response:
    """A file inside a protected part; `whole` for all that was inside, as a message."""
    part = opened_part(uid, number, mailbox)
    content = part.content or b""
    if section == "whole":
        name = "message.txt" if part.is_text else "message.eml"
        return _unkept(as_file(Response(content, mimetype="application/octet-stream"), name, "attachment"))
    message = structure.read(content)
    found = structure.classify(message.root).part(section) if not part.is_text else None
    if found is None:
        raise NoSuchMessageError(f"{mailbox}: nothing at {section} in what was opened of {uid}")
    inline = "inline" in request.args and found.type in _IMAGES
    data = decode_transfer(message.content(section), found.encoding)
    response = Response(data, mimetype=found.type if inline else _safe_type(found.type))
    return _unkept(as_file(response, found.filename or "attachment", "inline" if inline else "attachment"))


def opened_part(uid: int, number: int, mailbox: str) -> OpenedPart:
    """Of the message attached at the section that the request names (`inside`), if it does. 1 round trip after the SELECT. Raises
    NoSuchMessageError, also for a part that is not open now."""
    inside = request.args.get("inside", "")
    raw = source_of(mailbox, uid, uidvalidity(), inside)
    envelope = headers.envelope(header_reading.header_block(raw))
    parts = opening.open_message(raw, current_reader(envelope, attached=bool(inside))).parts
    if not 1 <= number <= len(parts) or parts[number - 1].content is None:
        raise NoSuchMessageError(f"{mailbox}: message {uid} has no open part {number}")
    return parts[number - 1]


def _text(part: OpenedPart, content: bytes, uid: int, number: int, mailbox: str) -> Cleaned:
    message = structure.read(content)
    shape = structure.classify(message.root)
    nodes = {node.section: node for node in _nodes(message.root)}
    if not part.protected:  # what could have been altered gets no chance to hide words, or to ask for anything
        shown = shape.text or shape.html
        return _as_lines("\n".join(_plain(message, one, nodes) for one in shown), any(one.size > _LARGEST_TEXT for one in shown))
    if shape.html and not (preferences().prefer_text and shape.text):
        return _html(message, shape, nodes, uid, number, mailbox)
    cut = any(one.size > _LARGEST_TEXT for one in shape.text)
    return _as_lines("\n".join(_plain(message, one, nodes) for one in shape.text), cut)


def _html(message: ParsedMessage, shape: Structure, nodes: dict[str, PartNode], uid: int, number: int, mailbox: str) -> Cleaned:
    sections = {part.content_id: part.section for part in shape.inline + shape.attachments if part.content_id}

    def link(cid: str) -> str | None:
        section = sections.get(cid.strip("<> "))
        if section is None:
            return None
        inside = request.args.get("inside") or None
        return requested_message_url("message.opened_file", uid, mailbox, number=number, section=section, inline=1, inside=inside)

    pieces = []
    for part in shape.html:
        html = plain_text.content(message.content(part.section, _LARGEST_TEXT), part)
        pieces.append(header_reading.without_legacy_html(html, nodes[part.section]))
    texts = [one for one in shape.text if not one.alternative]
    before = "".join(_as_lines(_plain(message, one, nodes), False).html for one in texts)
    found = cleaned("".join(pieces), link, requested_message_url("message.show", uid, mailbox), with_remote=False)
    cut = found.cut or any(part.size > _LARGEST_TEXT for part in shape.html)
    return Cleaned(before + found.html, found.remote, cut, found.dark)


def _plain(message: ParsedMessage, part: Part, nodes: dict[str, PartNode]) -> str:
    content = plain_text.content(message.content(part.section, _LARGEST_TEXT), part)
    if part.type == "text/html":
        return plain_text.html_to_text(content)
    return header_reading.without_legacy_text(content, nodes[part.section])


def _block(part: OpenedPart) -> Cleaned:
    data = part.content or b""
    return _as_lines(plain_text.decode_text(data[:_LARGEST_TEXT], "", part.charset or "utf-8"), len(data) > _LARGEST_TEXT)


def _as_lines(text: str, cut: bool) -> Cleaned:
    shown = Markup(plain_text.to_html(text, cut_label=cut_label(), fold=False))  # noqa: S704 - escaped by to_html
    html = Markup('<div class="lines">{}</div>').format(shown)
    return Cleaned(str(html), cut=cut, dark=asked_scheme() in DARK)


def _nodes(root: PartNode) -> list[PartNode]:
    found, stack = [], [root]
    while stack:
        node = stack.pop()
        found.append(node)
        stack += node.children
    return found


def _safe_type(kind: str) -> str:
    """application/octet-stream for types that a browser might execute."""
    safe = kind.startswith(("image/", "audio/", "video/")) and "svg" not in kind
    return kind if safe or kind in _SAFE else "application/octet-stream"


def _unkept(response: Response) -> Response:
    """An answer that no browser keeps."""
    response.headers["Cache-Control"] = "no-store"
    response.headers.pop("ETag", None)
    return response

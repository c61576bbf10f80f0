"""Message structure: sorts the leaves of the MIME tree (RFC 2045-2046) into bodies, attachments and inline parts."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from webmail.mail import Part, Structure
from webmail.mime.formats.enriched_text import RICH_TYPES
from webmail.mime.headers.encoded_words import tidy
from webmail.mime.headers.filenames import filename, turns
from webmail.mime.parser import ParsedMessage, content, from_bytes, read
from webmail.mime.protected import protected_parts
from webmail.mime.tree import PartNode

__all__ = ["ParsedMessage", "PartNode", "around", "attached", "classify", "content", "from_bytes", "read"]

DEPTH_LIMIT = 100  # nesting levels that are read
LEAF_LIMIT = 1000  # leaves that are kept
BODY_LIMIT = 20  # leaves shown as the message's body; further ones become attachments

_DEFAULT_NAMES = {
    "message/rfc822": "message.eml",
    "message/global": "message.eml",
    "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "receipt.txt",
    "text/rfc822-headers": "headers.txt",
    "text/calendar": "invitation.ics",
    "application/ics": "invitation.ics",
    "text/vcard": "contact.vcf",
    "text/x-vcard": "contact.vcf",
    "text/directory": "contact.vcf",
    "text/plain": "text.txt",
    "text/html": "page.html",
    "text/csv": "table.csv",
    "text/enriched": "text.txt",
    "text/richtext": "text.txt",
    "message/feedback-report": "report.txt",
    "message/partial": "message-part.txt",
    "image/jpeg": "image.jpg",
    "image/jpg": "image.jpg",
    "application/pdf": "document.pdf",
    "application/zip": "archive.zip",
    "application/pgp-signature": "signature.asc",
    "application/pgp-keys": "keys.asc",
    "application/pgp-encrypted": "version.txt",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
    "application/ms-tnef": "winmail.dat",
}
_BASE_NAMES = {"image": "image", "audio": "sound", "video": "video", "text": "text"}


@dataclass(slots=True)
class _Leaf:
    """A leaf with what matters about its ancestors."""

    node: PartNode
    first: bool  # the first part of its parent: where multipart/related and mixed keep the body
    alternative: str | None  # section of the outermost multipart/alternative around it
    in_alternative: bool  # its own parent is multipart/alternative
    related: str | None  # section of the innermost multipart/related around it


@dataclass(slots=True)
class _Chosen:
    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)
    inline: list[Part] = field(default_factory=list)


def classify(root: PartNode) -> Structure:
    """Sort the leaves into bodies, attachments and parts that the HTML refers to. Never raises, never recurses.

    Keeps the order of the message. Each leaf is in one list only; `Part.alternative` marks a body that also exists in the
    other type (RFC 2046 section 5.1.4), so that a viewer shows one of the two. Similar to RFC 8621 section 4.1.4.
    """
    leaves = list(_leaves(root))
    bodies = [leaf for leaf in leaves if _is_body(leaf)][:BODY_LIMIT]
    sections = {leaf.node.section for leaf in bodies}
    kinds: dict[str, set[str]] = {}
    for leaf in bodies:
        if leaf.alternative is not None:
            kinds.setdefault(leaf.alternative, set()).add(leaf.node.type)
    has_html = any(leaf.node.type == "text/html" for leaf in bodies)
    chosen = _Chosen()
    for leaf in leaves:
        if leaf.node.section in sections:
            both = leaf.alternative is not None and len(kinds[leaf.alternative]) > 1
            body = replace(_part(leaf.node, named=False), alternative=both)
            (chosen.html if leaf.node.type == "text/html" else chosen.text).append(body)
        elif has_html and leaf.related is not None and leaf.node.content_id and _is_media(leaf.node.type):
            chosen.inline.append(_part(leaf.node))
        else:
            chosen.attachments.append(_part(leaf.node))
    lists = (tuple(chosen.text), tuple(chosen.html), tuple(chosen.attachments), tuple(chosen.inline))
    return Structure(*lists, protected=protected_parts.outline(root))


def attached(root: PartNode, section: str) -> PartNode | None:
    """The tree of the message attached at `section`, at any depth, or None."""
    return _path(root, section)[-1].message


def around(root: PartNode, section: str) -> PartNode:
    """The tree of the innermost message that contains `section`: `root` itself, or one attached to it."""
    path = _path(root, section)
    return next((node for above, node in reversed(list(zip(path, path[1:], strict=False))) if above.message is node), root)


def _path(root: PartNode, section: str) -> list[PartNode]:
    """The nodes from `root` towards `section`, including attached messages, as far as they exist."""
    path = [root]
    while path[-1].section != section or path[-1].type.startswith("multipart/"):
        node = path[-1]
        below = [*node.children, *([node.message] if node.message else [])]
        next_one = next((one for one in below if one.section == section or section.startswith(f"{one.section}.")), None)
        if next_one is None:
            break
        path.append(next_one)
    return path


def _leaves(root: PartNode) -> Iterator[_Leaf]:
    """Every leaf in reading order, down to DEPTH_LIMIT and up to LEAF_LIMIT."""
    stack = [(_Leaf(root, True, None, False, None), 0)]
    count = 0
    while stack and count < LEAF_LIMIT:
        here, depth = stack.pop()
        node = here.node
        if not node.type.startswith("multipart/"):
            count += 1
            yield here
            continue
        if depth >= DEPTH_LIMIT:
            continue
        is_alternative = node.type == "multipart/alternative"
        alternative = here.alternative if here.alternative is not None or not is_alternative else node.section
        related = node.section if node.type == "multipart/related" else here.related
        for place, child in reversed(list(enumerate(_of_use(node)[:LEAF_LIMIT]))):
            stack.append((_Leaf(child, place == 0, alternative, is_alternative, related), depth + 1))


def _of_use(node: PartNode) -> list[PartNode]:
    """The children, without the resource fork of multipart/appledouble (RFC 1740), which only classic Mac OS could use."""
    if node.type == "multipart/appledouble" and len(node.children) > 1:
        return [child for child in node.children if child.type != "application/applefile"] or node.children
    return node.children


def _is_body(leaf: _Leaf) -> bool:
    node = leaf.node
    shown = ("text/plain", "text/html") if leaf.alternative is not None else ("text/plain", "text/html", *RICH_TYPES)
    if node.type not in shown or node.disposition == "attachment":
        return False
    if leaf.in_alternative or leaf.first:
        return True
    return not (leaf.related is not None and node.content_id) and not _name(node)


def _is_media(kind: str) -> bool:
    return kind.startswith(("image/", "audio/", "video/"))


def _name(node: PartNode) -> str:
    return filename({**node.params, **node.disposition_params})


def _part(node: PartNode, *, named: bool = True) -> Part:
    params = {key.lower(): value for key, value in node.params.items()}
    return Part(
        section=node.section,
        type=node.type,
        size=node.size,
        encoding=tidy(node.encoding) or "7bit",
        charset=tidy(params.get("charset", "")),
        filename=_name(node) or (default_name(node.type) if named else ""),
        disposition=node.disposition,
        content_id=node.content_id,
        format="flowed" if params.get("format", "").strip().lower() == "flowed" else "",
        delsp=params.get("delsp", "").strip().lower() == "yes",
        method=tidy(params.get("method", "")).strip().lower()[:20],
        turned=turns({**node.params, **node.disposition_params}),
        envelope=node.envelope,
    )


def default_name(kind: str) -> str:
    """A default file name for a part of this type: "message.eml", "image.png"."""
    if kind in _DEFAULT_NAMES:
        return _DEFAULT_NAMES[kind]
    extension = mimetypes.guess_extension(kind) or ".bin"
    return _BASE_NAMES.get(kind.partition("/")[0], "attachment") + extension

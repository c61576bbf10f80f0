"""MIME tree: PartNode, a part of a message as BODYSTRUCTURE or the parser describes it, before it is classified."""

from __future__ import annotations

from dataclasses import dataclass, field

from webmail.mail import Envelope


@dataclass(slots=True, eq=False)
class PartNode:
    """A part with its IMAP section ("" for the root of a multipart message, else "1", "1.2": RFC 3501 section 6.4.5).

    `type` and `disposition` are lower case, `params` raw (RFC 2231 not decoded), `size` in encoded bytes, `content_id`
    without angle brackets. Only multiparts have `children`: an attached message is a leaf, with its own tree in `message`.
    """

    section: str
    type: str
    params: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    disposition_params: dict[str, str] = field(default_factory=dict)
    encoding: str = "7bit"
    size: int = 0
    content_id: str = ""
    children: list[PartNode] = field(default_factory=list, repr=False)
    message: PartNode | None = field(default=None, repr=False)
    envelope: Envelope | None = field(default=None, repr=False)

"""Node: a part of a message as BODYSTRUCTURE or the bytes describe it, before anything is decided about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from webmail.mail import Envelope


@dataclass(slots=True, eq=False)
class PartNode:
    """A part with its IMAP section ("" for the root of a multipart message, else "1", "1.2": RFC 3501 section 6.4.5).

    `type` and `disposition` are lower case, `params` raw (RFC 2231 not undone), `size` in encoded bytes, `content_id`
    without angle brackets. `children` only for multiparts: an attached message is a leaf, with its own tree in `message`.
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

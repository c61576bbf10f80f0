"""BODYSTRUCTURE: converts imapclient's parsed BODYSTRUCTURE to the PartNode tree that `mime.structure` classifies."""

from __future__ import annotations

from typing import Any

from imapclient.response_types import BodyData

from webmail.mail import Address, Envelope
from webmail.mime.headers import headers
from webmail.mime.headers.encoded_words import decode
from webmail.mime.structure import PartNode

_DEEPEST = 100
_MOST_PEOPLE = 20  # addresses in one field of an attached message


def tree(data: Any) -> PartNode:
    """imapclient's BodyData -> PartNode with IMAP section numbers (RFC 3501 section 7.4.2, "1.2").

    Raises ValueError, TypeError, LookupError if it is malformed.
    """
    return _node(data, "" if data.is_multipart else "1", 0)


def _node(data: Any, section: str, depth: int) -> PartNode:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if data.is_multipart:
        children = [
            _node(child, f"{section}.{place}" if section else str(place), depth + 1) for place, child in enumerate(data[0], 1)
        ]
        params = _params(data[2]) if len(data) > 2 else {}
        disposition, disposition_params = _disposition(data[3] if len(data) > 3 else None)
        return PartNode(
            section=section, type=f"multipart/{_text(data[1]).lower()}", params=params, disposition=disposition,
            disposition_params=disposition_params, encoding="", size=0, content_id="", children=children,
        )  # fmt: skip
    kind = f"{_text(data[0])}/{_text(data[1])}".lower()
    # after the seven fields common to all: text has a line count, message/rfc822 an envelope, a body and a line count
    extension = 7 + (1 if kind.startswith("text/") else 3 if kind == "message/rfc822" else 0)
    disposition, disposition_params = _disposition(data[extension + 1] if len(data) > extension + 1 else None)
    return PartNode(
        section=section, type=kind, params=_params(data[2]), disposition=disposition,
        disposition_params=disposition_params, encoding=_text(data[5]).lower(), size=int(data[6] or 0),
        content_id=_text(data[3]).strip("<> "), children=[], **_attached(data, kind, section, depth),
    )  # fmt: skip


def _attached(data: Any, kind: str, section: str, depth: int) -> dict[str, Any]:
    """Envelope and tree of an attached message. Its parts are numbered below its own section (RFC 3501 section 6.4.5).

    A malformed one remains a file to download: the outer message must stay readable.
    """
    if not kind.startswith("message/") or len(data) < 9 or not isinstance(data[7], tuple) or len(data[7]) != 10:
        return {}
    found: dict[str, Any] = {"envelope": _envelope(data[7])}
    try:
        body = BodyData.create(data[8])
        found["message"] = _node(body, section if body.is_multipart else f"{section}.1", depth + 1)
    except (ValueError, TypeError, LookupError, AttributeError):
        found["message"] = None
    return found


def _envelope(values: Any) -> Envelope:
    """The fields of ENVELOPE (RFC 3501 section 7.4.2) that a card shows."""
    ids = headers.message_ids(values[9]) if isinstance(values[9], bytes) else ()
    return Envelope(
        subject=decode(values[1]) if isinstance(values[1], bytes) else "",
        sender=_addresses(values[2]),
        to=_addresses(values[5]),
        sent=headers.date(values[0]) if isinstance(values[0], bytes) else None,
        message_id=ids[0] if ids else "",
    )


def _addresses(values: Any) -> tuple[Address, ...]:
    """The addresses of an ENVELOPE field; group markers (RFC 3501: a NIL host) are skipped."""
    listed = values[:_MOST_PEOPLE] if isinstance(values, tuple) else ()
    people = [one for one in listed if isinstance(one, tuple) and len(one) == 4]
    return tuple(
        Address(decode(name) if isinstance(name, bytes) else "", f"{_text(local)}@{_text(host)}".strip("@"))
        for name, _route, local, host in people
        if host
    )


def _params(values: Any) -> dict[str, str]:
    if not isinstance(values, tuple):
        return {}
    return {_text(k).lower(): _text(v) for k, v in zip(values[::2], values[1::2], strict=False)}


def _disposition(value: Any) -> tuple[str, dict[str, str]]:
    if not isinstance(value, tuple) or not value:
        return "", {}
    return _text(value[0]).lower(), _params(value[1] if len(value) > 1 else None)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

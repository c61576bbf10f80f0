"""Fields: the values of the compose form, their normalisation for storing, and the revision hash that identifies a text."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from webmail.compose import header_values
from webmail.compose.drafts import message_options
from webmail.compose.encryption import protection
from webmail.compose.encryption.protection_errors import SealedDraftError
from webmail.models import DraftRow

_REFERENCES_KEPT = 30
_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x1f]{1,250}>")


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of the compose form. `references`: message ids separated by spaces; `source_*`: the message replied to."""

    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    body: str = ""
    in_reply_to: str = ""
    references: str = ""
    source_mailbox: str = ""
    source_uidvalidity: int = 0
    source_uid: int = 0
    source_flag: str = ""
    identity: int = 0  # of models.WritingIdentity; 0: the account itself
    format: str = ""  # message_options.FORMATTED, or "" for plain text
    priority: str = ""
    language: str = ""
    read_receipt: bool = False
    delivery_receipt: bool = False
    reply_to: str = ""  # for this message only; empty: the identity's
    link_days: int = 0  # how long the link to its large files works; 0: as usual
    answer_by: str = ""  # a day (ISO 8601): to be reminded of it if nobody has answered by then
    protection: str = ""  # encryption.protection.MessageProtection


NO_FIELDS = Fields()
_DEFAULTS = asdict(NO_FIELDS)


def values_of(fields: Fields) -> dict[str, Any]:
    """The values by their names; `asdict` would copy each."""
    return {name: getattr(fields, name) for name in _DEFAULTS}


def revision_of(fields: Fields) -> str:
    """A hash of the normalised fields. Attachments are not included: they never overwrite each other."""
    values = storable(fields)
    if not values["protection"]:
        values.pop("protection")  # as forms and rows from before have it
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:24]


def fields_of(row: DraftRow) -> Fields:
    """A column added after the row was written holds NULL. Raises SealedDraftError for a sealed one that was not laid open."""
    if row.sealed is not None and not (row.secrecy is not None and row.secrecy.has_text):
        raise SealedDraftError(f"the text of draft {row.id} is not here")
    return Fields(**{name: default if (value := getattr(row, name)) is None else value for name, default in _DEFAULTS.items()})


def normalised(fields: Fields) -> Fields:
    """The fields as they would be read back from a row."""
    return Fields(**storable(fields))


def storable(fields: Fields) -> dict[str, Any]:
    """The fields sanitised for storing: LF line endings, single-line headers, no NUL, only valid message ids and UIDs."""
    values = values_of(fields)
    for name in ("to", "cc", "bcc", "reply_to", "subject", "source_mailbox"):
        values[name] = header_values.one_line(values[name])
    values["body"] = values["body"].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    values["in_reply_to"] = " ".join(message_ids(fields.in_reply_to)[-1:])
    values["references"] = " ".join(bounded_references(message_ids(fields.references)))
    if values["source_flag"] not in ("\\Answered", "$Forwarded"):
        values["source_flag"] = ""
    for name in ("source_uid", "source_uidvalidity"):  # untrusted input; 32 bits (RFC 3501 section 2.3.1.1)
        values[name] = values[name] if 0 < values[name] < 2**32 else 0
    values["link_days"] = values["link_days"] if 0 < values["link_days"] < 10_000 else 0
    values["identity"] = values["identity"] if 0 < values["identity"] < 2**63 else 0
    values["protection"] = protection.checked(values["protection"])
    return values | message_options.checked(values)


def message_ids(text: str) -> list[str]:
    return _MESSAGE_ID.findall(text)


def bounded_references(references: list[str]) -> list[str]:
    """The thread's first message id and its last ones, to keep the header's length bounded (RFC 5322 section 2.1.1)."""
    references = list(dict.fromkeys(references))
    return references if len(references) <= _REFERENCES_KEPT else [references[0], *references[1 - _REFERENCES_KEPT :]]

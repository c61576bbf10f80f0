"""Shapes of what scripts get: each noun once, as the OpenAPI document names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from webmail.api.schemas import LARGEST, moment, number, one_of, or_null, record, several, text, yes_or_no
from webmail.models import ContentState, OutboxState, TransferState
from webmail.transfers.options import TransferOptions

_LONG = 1_000_000
OPTION_WORDS = {
    "mail_code": "A recipient types a code that is mailed to them",
    "once": "Each recipient downloads each file once",
    "signed_in_only": "Only people with an account here",
    "hide_address": "Recipients see the sender's name alone",
    "copy_to_me": "The mail that recipients get, to the sender too",
    "tell_uploaded": "A mail to the sender once all files have arrived",
    "tell_each": "A mail for each download",
    "tell_all": "A mail once everybody has everything",
    "tell_daily": "A mail a day, about its downloads",
    "tell_closed": "A mail once it has ended",
    "remind": "Recipients who have not downloaded are reminded before the end",
    "receipt": "Recipients are told by mail what they downloaded",
}
OPTIONS = {one.name: yes_or_no(OPTION_WORDS[one.name], bool(one.default)) for one in fields(TransferOptions)}

_FILE = record(
    {
        "upload": text(32, "Its identifier"), "name": text(1000), "size": number(), "received": number(LARGEST,
        "Bytes that are there"),
        "state": one_of(tuple(ContentState)), "type": text(200), "sha256": or_null(text(64)), "downloads": number(),
    },
    "upload", "name", "size", "received", "state", "type", "sha256", "downloads",
)  # fmt: skip
_RECIPIENT = record(
    {"number": number(), "name": text(190), "address": text(254), "mailed": or_null(moment()), "downloads": number()},
    "number", "name", "address", "mailed", "downloads",
)  # fmt: skip
_GUEST = record({"name": text(190), "address": text(254), "request": or_null(number())}, "name", "address", "request")
_TRANSFER_HEAD = {
    "number": number(), "state": one_of(tuple(TransferState)), "subject": text(200), "created": moment(),
    "published": or_null(moment()), "expires": moment(), "closed": or_null(moment()), "size": number(), "files_count": number(),
    "from_guest": {**_GUEST, "type": ["object", "null"]},
}  # fmt: skip
_TRANSFER = {
    **_TRANSFER_HEAD, "message": text(_LONG, lines=True), "options": record(OPTIONS, *OPTIONS),
    "password": yes_or_no("Whether it asks for one"),
    "link": or_null(text(2000, "The address to give to others, while it works")),
    "uploads": or_null(text(2000, "Where it takes more files by tus 1.0")),
    "files": several(_FILE, 10_000), "recipients": several(_RECIPIENT, 1000),
}  # fmt: skip
_REQUEST = {
    "number": number(), "title": text(200), "message": text(_LONG, lines=True), "state": one_of(("open", "over", "closed")),
    "until": or_null(moment()), "link": or_null(text(2000, "The address for everybody; null where only invited people may send")),
    "arrived": number(LARGEST, "Transfers that came"), "created": moment(),
}  # fmt: skip
_INVITED = record(
    {"number": number(), "name": text(190), "address": text(254), "link": or_null(text(2000)), "used": number()},
    "number", "name", "address", "link", "used",
)  # fmt: skip
_BUSY = record({"from": moment(), "to": moment(), "level": one_of(("tentative", "busy", "absent"))}, "from", "to", "level")
_MESSAGE = {
    "number": number(), "state": one_of(tuple(OutboxState)), "subject": text(_LONG), "message_id": text(300), "due": moment(),
    "sent": or_null(moment()), "recipients": several(text(254), 10_000),
    "refused": several(text(254), 10_000, "Those whom the mail server refused"),
}  # fmt: skip


def _whole(properties: Mapping[str, Any]) -> dict[str, Any]:
    return record(properties, *properties)


SHAPES: Mapping[str, dict[str, Any]] = {
    "Me": _whole(
        {
            "address": text(254), "name": text(200), "senders": several(text(254), 200, "Addresses to send from"),
            "file_bytes": number(LARGEST, "Largest file of a transfer"), "transfer_bytes": number(), "message_bytes": number(),
        }
    ),
    "Transfer": _whole(_TRANSFER),
    "TransferList": _whole({"transfers": several(_whole(_TRANSFER_HEAD), 100), "total": number(), "page": number()}),
    "Addition": _whole(
        {
            "number": number(), "state": one_of(("open", "joining"), "joining: its files join once each is checked"),
            "mail": yes_or_no("Whether recipients are told by email"), "size": number(), "files": several(_FILE, 10_000),
        }
    ),
    "File": _FILE,
    "Reminded": _whole({"reminded": number(LARGEST, "How many people were reminded")}),
    "Events": _whole(
        {"events": several(_whole({"at": moment(), "kind": text(40), "address": text(254), "detail": text(_LONG, lines=True)}),
        500)}
    ),
    "FileRequest": _whole({**_REQUEST, "invited": several(_INVITED, 1000), "transfers": several(number(), 500)}),
    "FileRequestList": _whole({"requests": several(_whole(_REQUEST), 300)}),
    "GuestRequest": _whole(
        {
            "title": text(200), "message": text(_LONG, lines=True), "asked_by": text(254), "until": or_null(moment()),
            "asks_name": yes_or_no(), "most_bytes": number(), "most_files": number(),
        }
    ),
    "GuestTransfer": _whole(
        {
            "link": text(100, "What to go on with"), "state": one_of(tuple(TransferState)), "files": several(_FILE, 10_000),
            "uploads": text(2000, "Where it takes files by tus 1.0"), "page": text(2000),
        }
    ),
    "FreeBusy": _whole(
        {
            "people": several(
                record(
                    {"address": text(254), "name": text(200), "known": yes_or_no("Whether their times can be told"),
                    "busy": several(_BUSY, 20_000)},
                    "address", "name", "known", "busy",
                ),
                100,
            )
        }
    ),
    "Message": _whole(_MESSAGE),
}  # fmt: skip

"""Bodies of answers: transfers, requests and messages as JSON for scripts, rows in the shapes of `shapes.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import has_request_context, request, url_for

from webmail.api.operations import ApiAnswer
from webmail.config.settings import Settings
from webmail.models import (
    ContentState,
    FileRequest,
    FileRequestInvite,
    Outbox,
    Transfer,
    TransferEvent,
    TransferFile,
    TransferRecipient,
    TransferState,
)
from webmail.transfers import options, store
from webmail.transfers.listing import ListedTransfer
from webmail.transfers.requests import requests
from webmail.web.public_links import public_link

MOST_FILES, MOST_PEOPLE = 10_000, 1000


def moment(at: datetime | None) -> str | None:
    """Naive UTC, as tables have it."""
    return None if at is None else at.replace(tzinfo=UTC, microsecond=0).isoformat().replace("+00:00", "Z")


def link(endpoint: str, **values: Any) -> str:
    """The address of a page as people reach it; without the setting `public_url`, as this request did."""
    if (found := public_link(endpoint, **values)) or not has_request_context():
        return found
    return request.host_url.rstrip("/") + url_for(endpoint, **values)


def call_address(path: str) -> str:
    """Of one of these operations."""
    return link("api.answer", path=path)


def file(row: TransferFile) -> dict[str, Any]:
    stored = row.content
    return {
        "upload": row.upload, "name": row.path, "size": row.size, "received": stored.received if stored is not None else 0,
        "state": stored.state if stored is not None else ContentState.DELETED, "type": row.media_type,
        "sha256": (stored.sha256 or None) if stored is not None else None, "downloads": row.downloads,
    }  # fmt: skip


def _recipient(row: TransferRecipient) -> dict[str, Any]:
    return {
        "number": row.id, "name": row.name, "address": row.address, "mailed": moment(row.notified), "downloads": row.downloads,
    }  # fmt: skip


def _head(transfer: Transfer, size: int, count: int) -> dict[str, Any]:
    guest = None
    if transfer.request_id is not None or transfer.receipt_hash:
        guest = {"name": transfer.guest_name, "address": transfer.guest_address, "request": transfer.request_id}
    return {
        "number": transfer.id, "state": transfer.state, "subject": transfer.subject, "created": moment(transfer.created),
        "published": moment(transfer.published), "expires": moment(transfer.expires), "closed": moment(transfer.closed),
        "size": size, "files_count": count, "from_guest": guest,
    }  # fmt: skip


def listed(counted: ListedTransfer) -> dict[str, Any]:
    return _head(counted.transfer, counted.size, counted.files)


def transfer(row: Transfer, people: Sequence[TransferRecipient], settings: Settings) -> dict[str, Any]:
    """Its link where we have all of it: what only the link holds, nobody here knows."""
    files = store.files(row)
    shown = store.is_offered(row) and not row.end_to_end and not row.key_check
    is_open = row.state == TransferState.OPEN and row.request_id is None
    return {
        **_head(row, sum(one.size for one in files), len(files)), "message": row.message,
        "options": asdict(options.load(row)) if not is_open else _typed_options(row), "password": bool(row.password),
        "link": link("transfers.show", link=store.link_token(row, settings)) if shown else None,
        "uploads": call_address(f"transfers/{row.id}/uploads") if is_open else None,
        "files": [file(one) for one in files[:MOST_FILES]], "recipients": [_recipient(one) for one in people[:MOST_PEOPLE]],
    }  # fmt: skip


def _typed_options(row: Transfer) -> dict[str, bool]:
    ticked = json.loads(row.options or "{}").get("typed", {}).get("options")
    usual = asdict(options.TransferOptions())
    return {name: name in ticked for name in usual} if isinstance(ticked, list) else usual


def addition(row: Transfer, files: Sequence[TransferFile], tells: bool) -> dict[str, Any]:
    """What is being added to a transfer. `tells`: whether recipients get a mail."""
    return {
        "number": row.id, "state": row.state, "mail": tells, "size": sum(one.size for one in files),
        "files": [file(one) for one in files[:MOST_FILES]],
    }  # fmt: skip


def event(row: TransferEvent) -> dict[str, Any]:
    who = row.recipient.address if row.recipient is not None else ""
    detail = row.file.path if row.file is not None else str(row.detail)
    return {"at": moment(row.at), "kind": row.kind, "address": who, "detail": detail}


def file_request(row: FileRequest, arrived: int, settings: Settings) -> dict[str, Any]:
    own = None if row.invited_only else link("transfers.guest", link=requests.token(row, settings))
    return {
        "number": row.id, "title": row.title, "message": row.message, "state": requests.state(row).value,
        "until": moment(row.until), "link": own, "arrived": arrived, "created": moment(row.created),
    }  # fmt: skip


def invited(row: FileRequestInvite, settings: Settings) -> dict[str, Any]:
    """Their own link is told where nobody mails it to them."""
    mailed = bool(settings.system_address and settings.public_url)
    own = None if mailed else link("transfers.guest", link=requests.invite_token(row, settings))
    return {"number": row.id, "name": row.name, "address": row.address, "link": own, "used": row.used}


def message(row: Outbox) -> dict[str, Any]:
    refused = json.loads(row.refused or "{}")
    return {
        "number": row.id, "state": row.state, "subject": row.subject, "message_id": row.message_id, "due": moment(row.due),
        "sent": moment(row.sent_at), "recipients": json.loads(row.recipients), "refused": list(refused),
    }  # fmt: skip


def answer(body: dict[str, Any], status: int = 200) -> ApiAnswer:
    return ApiAnswer(body, status)

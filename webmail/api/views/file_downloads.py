"""Files of transfers for scripts, whole or in part (RFC 9110, 14): above all those that guests sent.

They are given out as by the transfer's link, admitted with its downloads, and each is counted once for its owner's scripts.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from flask import session
from werkzeug.wrappers import Response

from webmail.api import transfers
from webmail.api.operations import ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.models import ContentState, Transfer, TransferFile
from webmail.transfers import store
from webmail.transfers.public import access
from webmail.transfers.public.access import LinkVisit
from webmail.transfers.public.grants import Right
from webmail.transfers.views.public_files import AGAIN, NoDownloadPlaceError, answer_with
from webmail.web.formatting import lazy_text as _l


def show_file(call: ApiCall) -> Response:
    """GET or HEAD."""
    transfer = transfers.mine(call)
    visited = _visit(transfer, call)
    file = store.file_of(transfer, upload=call.values["upload"])
    if file is None:
        raise ProblemError("not-found")
    _check_ready(file)
    try:
        return answer_with(visited, file, session.network, f"user {call.person.id}")  # type: ignore[attr-defined]
    except NoDownloadPlaceError as error:
        raise ProblemError("busy", headers={"Retry-After": str(AGAIN)}) from error


def _visit(transfer: Transfer, call: ApiCall) -> LinkVisit:
    """As whoever has the link and pressed its button. Raises ProblemError."""
    if transfer.end_to_end or transfer.key_check:
        raise ProblemError("conflict", "Only its link holds the key of its files, which its page alone knows.")
    visited = access.visit(store.link_token(transfer, call.settings), call.settings, call.person)
    if not isinstance(visited, LinkVisit):
        raise ProblemError("over" if transfer.published is not None else "conflict")
    if visited.needs is not None:
        raise ProblemError("conflict", "Its link asks for something first: download the files on its page.")
    rights = visited.grant.rights | Right.CONFIRMED | (Right.OWN if visited.by_owner else Right(0))
    ticket = hashlib.sha256(f"script {call.person.id}".encode()).hexdigest()[:16]
    return replace(visited, grant=replace(visited.grant, rights=rights, ticket=ticket))


def _check_ready(file: TransferFile) -> None:
    state = file.content.state if file.content is not None else ContentState.DELETED
    if state == ContentState.REFUSED:
        raise ProblemError("over", "It was refused because it may be harmful.")
    if state == ContentState.DELETED:
        raise ProblemError("over")
    if state != ContentState.READY:
        raise ProblemError("conflict", "It is still being checked.", headers={"Retry-After": "60"})


_SHAPE: dict[str, Any] = {
    "path": "/transfers/{number}/uploads/{upload}", "act": show_file, "tag": "transfers", "area": "transfers",
    "gives_file": True, "reads_itself": True, "problems": ("over", "conflict"),
    "headers": {
        "Range": "One part: “bytes=1000000-”, to go on with a download that broke off", "If-Range": "The “ETag” of its beginning",
        "If-None-Match": "The “ETag” of what you have: 304 if it is the same",
    },
}  # fmt: skip
OPERATIONS = (
    Operation(name="download_file", method="GET", words=_l("Download a file, whole or from where it stopped"), **_SHAPE),
    Operation(name="file_headers", method="HEAD", words=_l("Size and “ETag” of a file, without its bytes"), **_SHAPE),
)

"""Options of a transfer: what is asked before a download, who is told of what. Kept as JSON in `Transfer.options`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from webmail.models import Transfer


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """What its sender chose. A password is not among them: `Transfer.password`."""

    mail_code: bool = False  # a recipient types a code that is mailed to them
    once: bool = False  # each recipient downloads each file once
    signed_in_only: bool = False  # people with an account here
    hide_address: bool = False  # recipients see the sender's name alone
    copy_to_me: bool = False  # the mail that recipients get, to the sender too
    tell_uploaded: bool = False
    tell_each: bool = False  # a mail for each download
    tell_all: bool = False  # one once every recipient has everything
    tell_daily: bool = False
    tell_closed: bool = True
    remind: bool = True  # recipients who have not downloaded, before the date
    receipt: bool = False  # recipients are told by mail what they downloaded


def load(transfer: Transfer) -> TransferOptions:
    return read(transfer.options)


def read(text: str) -> TransferOptions:
    """Options as they are kept; what a later version wrote besides is left out."""
    known: dict[str, Any] = json.loads(text or "{}")
    return TransferOptions(**{one.name: bool(known[one.name]) for one in fields(TransferOptions) if one.name in known})


def written(options: TransferOptions) -> str:
    return json.dumps(asdict(options))

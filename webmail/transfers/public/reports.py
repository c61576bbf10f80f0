"""Reports of abuse: what somebody at a public link tells the administrator about what was sent."""

from __future__ import annotations

from enum import StrEnum

from webmail import rate_limits
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.desk import cases
from webmail.models import DeskKind, Transfer, TransferReport, User, now
from webmail.rate_limits import DAY, HOUR, RateLimit
from webmail.transfers import trail
from webmail.transfers.trail import EventKind

LONGEST_TEXT = 2000
LONGEST_ADDRESS = 254
OF_NETWORK = RateLimit("reports of abuse from a network", 5, HOUR)
OF_TRANSFER = RateLimit("reports of abuse of a transfer", 20, DAY)  # by then it is known


class AbuseReason(StrEnum):
    """What is wrong with a transfer."""

    MALWARE = "malware"
    FRAUD = "fraud"  # phishing, a pretended sender
    ILLEGAL = "illegal"
    RIGHTS = "rights"  # somebody else's work, or data about them
    OTHER = "other"


def add(transfer: Transfer, reason: AbuseReason, text: str, address: str, network: str, settings: Settings) -> TransferReport:
    """Keep a report, and note it in the transfer's trail, which its owner sees, without by whom. Raises TooManyRequestsError."""
    rate_limits.take(settings, OF_NETWORK.by(network), OF_TRANSFER.by(transfer.id))
    with db.atomic():
        row = TransferReport.create(transfer=transfer, reason=reason, text=text[:LONGEST_TEXT], address=address[:LONGEST_ADDRESS])
        cases.open_case(DeskKind.ABUSE, row.id, address=row.address, domain=transfer.owner.domain, topic=reason, text=row.text)
        trail.note(transfer, EventKind.REPORTED, detail=str(reason), told=True)
    return row


def waiting() -> list[TransferReport]:
    """Those that no administrator has dealt with, the oldest first. One SELECT."""
    rows = TransferReport.select(TransferReport, Transfer, User).join(Transfer).join(User)
    rows = rows.where(TransferReport.settled.is_null())
    return list(rows.order_by(TransferReport.created).limit(200))


def settle_all(transfer: Transfer, by: str) -> None:
    """An administrator has closed what they are about."""
    still = TransferReport.select(TransferReport.id).where(TransferReport.transfer == transfer, TransferReport.settled.is_null())
    for report in still:
        settle(report, by)


def settle(report: TransferReport, by: str) -> bool:
    """An administrator has dealt with it; whether nobody had before."""
    still = (TransferReport.id == report.id) & TransferReport.settled.is_null()
    with db.atomic():
        cases.settle(DeskKind.ABUSE, [report.id], by)
        return bool(TransferReport.update(settled=now(), settled_by=by[:254]).where(still).execute())


def find(number: int) -> TransferReport | None:
    """A report with its transfer and who sent that. One SELECT."""
    rows = TransferReport.select(TransferReport, Transfer, User).join(Transfer).join(User)
    return rows.where(TransferReport.id == number).first()

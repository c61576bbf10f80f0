"""Sending a transfer without its page: put together, checked as the page's form checks it, and given to others.

For scripts and for the command line: who asks is an argument, and no request is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.api.problems import ProblemError
from webmail.config.settings import Settings
from webmail.database.user_lock import user_lock
from webmail.errors import BadAddressError
from webmail.mime.headers.address_input import parse_addresses
from webmail.models import ContentState, Transfer, TransferFile, TransferState, User
from webmail.transfers import assembly, mail_limits, other_server, protection, store
from webmail.transfers.notifications import recipients
from webmail.transfers.options import TransferOptions
from webmail.transfers.protection import Protection
from webmail.transfers.store import FilesChangedError, TransferClosedError
from webmail.transfers.transfer_forms import OPTIONS, TransferForm, last_day


@dataclass(frozen=True, slots=True)
class TransferWishes:
    """What is to be sent to whom. `until`: a day or a moment; "" for the usual days. `options`: those that differ from the
    usual."""

    to: tuple[str, ...] = ()
    subject: str = ""
    message: str = ""
    until: str = ""
    days: int = 0
    language: str = ""
    password: str = ""
    options: Mapping[str, bool] = field(default_factory=dict)


def checked_addresses(typed: tuple[str, ...], at: str) -> str:
    """One field of them. Raises ProblemError where one is no address, or more than one."""
    faults = []
    for place, one in enumerate(typed):
        try:
            found = parse_addresses(one)
        except BadAddressError:
            found = ()
        if len(found) != 1 or "@" not in found[0].email:
            faults.append({"at": f"/{at}/{place}", "fault": "must be one email address"})
    if faults:
        raise ProblemError("invalid", errors=faults[:20])
    return ", ".join(typed)


def begin(owner: User, wishes: TransferWishes, settings: Settings) -> Transfer:
    """An open transfer with all but its files. Raises ProblemError, OverLimitError."""
    if other := other_server.for_user(owner, settings):
        raise ProblemError(
            "conflict", _("Large files of this person are sent by %(server)s. Use its own interface.", server=other.title)
        )
    if Protection.SERVER not in protection.choices(settings):
        raise ProblemError("conflict", "Here only links hold the keys of files, and scripts don't.")
    form = _form(owner, wishes, settings)
    form.check(owner, settings, mails=bool(wishes.to), space=mail_limits.UNLIMITED)
    _raise_faults(form)
    transfer, _key = protection.begin(owner, Protection.SERVER, settings)
    form.keep_in(transfer)
    return transfer


def _form(owner: User, wishes: TransferWishes, settings: Settings) -> TransferForm:
    usual = TransferOptions()
    chosen = {name: wishes.options.get(name, getattr(usual, name)) for name in OPTIONS}
    fields = {
        "to": checked_addresses(wishes.to, "to"), "subject": wishes.subject, "message": wishes.message,
        "until": wishes.until or (last_day(wishes.days) if wishes.days else ""), "password": wishes.password,
        "language": wishes.language or owner.language or settings.language, "shown": "1",
        **{name: "1" for name, value in chosen.items() if value},
    }  # fmt: skip
    return TransferForm.typed(MultiDict(fields), settings)


def _raise_faults(form: TransferForm) -> None:
    if form.errors:
        raise ProblemError("invalid", errors=[{"at": f"/{name}", "fault": words} for name, words in form.errors.items()])


def can_mail(settings: Settings) -> bool:
    return bool(settings.system_address and settings.public_url)


def publish(transfer: Transfer, owner: User, settings: Settings, *, mails: bool | None = None) -> Transfer:
    """Give it to its recipients by mail, or to nobody in particular; by default to those whom it names. Twice is once.

    Raises ProblemError where something is missing, and what was looked at is no longer what there is.
    """
    form, files = TransferForm.showing(transfer, settings), store.files(transfer)
    by_mail = bool(form.to) if mails is None else mails
    if transfer.state == TransferState.READY:
        return transfer
    if transfer.state != TransferState.OPEN:
        raise ProblemError("over")
    if by_mail and not can_mail(settings):
        raise ProblemError("conflict", "This installation mails no links: send it without recipients, and pass the link on.")
    form.check(owner, settings, mails=by_mail, space=mail_limits.people_left(owner, settings))
    if fault := _fault_of(files):
        form.errors["files"] = fault
    _raise_faults(form)
    people = [(one.name, one.email) for one in form.people()] if by_mail else []
    with user_lock(owner.id):
        again = assembly.of_owner(transfer.id, owner)
        if again is None or again.state != TransferState.OPEN:  # by another request
            return again or transfer
        try:
            store.publish(transfer, form.options, form.expires(), people, settings, looked_at=files)
        except (FilesChangedError, TransferClosedError) as error:
            raise ProblemError("conflict", "It was changed at this moment.") from error
    recipients.settle(transfer, settings)
    return transfer


def _fault_of(files: list[TransferFile]) -> str:
    if not files:
        return "has none yet"
    for file in files:
        if file.content is not None and file.content.state == ContentState.REFUSED:
            return f"{file.path}: was refused because it may be harmful"
        if not assembly.is_whole(file):
            return f"{file.path}: is incomplete"
    return ""


def wishes_of(body: Mapping[str, Any]) -> TransferWishes:
    """As a script sends them."""
    return TransferWishes(
        to=tuple(body.get("to", ())), subject=body.get("subject", ""), message=body.get("message", ""),
        until=body.get("until", ""), days=body.get("days", 0), language=body.get("language", ""),
        password=body.get("password", ""), options=body.get("options", {}),
    )  # fmt: skip

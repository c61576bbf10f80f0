"""Transfers for scripts: made, listed, sent, and what is changed of them afterwards, as on their pages."""

from __future__ import annotations

from typing import Any

from webmail.api import answer_bodies, transfer_sending
from webmail.api.operations import ApiAnswer, ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.api.request_keys import keyed
from webmail.api.schemas import number, one_of, record, several, text, until, yes_or_no
from webmail.api.shapes import OPTIONS
from webmail.compose import identities
from webmail.errors import BadAddressError, LimitReachedError
from webmail.models import Transfer, TransferRecipient, TransferState
from webmail.people import policies
from webmail.transfers import changes, listing, mail_limits, protection, store
from webmail.transfers.changes import LastFileError
from webmail.transfers.limits import MB
from webmail.transfers.listing import Order, Shelf
from webmail.transfers.notifications import recipients
from webmail.transfers.protection import Protection
from webmail.transfers.transfer_forms import LONGEST_MESSAGE, LONGEST_PASSWORD, LONGEST_SUBJECT, TransferForm
from webmail.web.formatting import LANGUAGES
from webmail.web.formatting import lazy_text as _l

_ADDRESSES = several(text(320, "“marie@example.org”, or “Marie Curie <marie@example.org>”", least=3), 1000)
_UNTIL = until("The last day, such as 2026-12-24, or a moment with its zone")
NEW = record(
    {
        "to": {**_ADDRESSES, "description": "Who is mailed the link; nobody: it is yours to pass on"},
        "subject": text(LONGEST_SUBJECT), "message": text(LONGEST_MESSAGE, lines=True), "until": _UNTIL,
        "days": number(3650, "Instead of “until”: for how many days", least=1), "language": one_of(tuple(LANGUAGES),
        "Of the mail"),
        "password": text(LONGEST_PASSWORD, "What its page asks for", least=6), "options": record(OPTIONS),
    }
)  # fmt: skip


def me(call: ApiCall) -> ApiAnswer:
    """Who asks, and what they may."""
    user, given = call.person, call.settings.transfers
    senders = [one.address for one in identities.usable(user, call.settings)]
    return answer_bodies.answer(
        {
            "address": user.address, "name": user.name, "senders": list(dict.fromkeys(senders)), "file_bytes": given.file_mb * MB,
            "transfer_bytes": given.transfer_mb * MB, "message_bytes": policies.message_limit(user, call.settings),
        }
    )  # fmt: skip


def check_on(call: ApiCall) -> None:
    if not call.settings.transfers.on:
        raise ProblemError("not-found")


def mine(call: ApiCall) -> Transfer:
    """Theirs, whoever sent it. Raises ProblemError."""
    check_on(call)
    found = changes.of_owner(call.values["number"], call.person)
    if found is None or found.adds_to_id is not None:
        raise ProblemError("not-found")
    return found


def open_one(call: ApiCall) -> Transfer:
    """Theirs, which takes files. Raises ProblemError."""
    found = mine(call)
    if found.request_id is not None:
        raise ProblemError("not-found")
    if found.state != TransferState.OPEN or store.is_over(found):
        raise ProblemError("over")
    if protection.protection_of(found) is not Protection.SERVER:
        raise ProblemError("conflict", "Only its link holds the key of its files, which its page alone knows.")
    return found


def _told(found: Transfer, call: ApiCall, status: int = 200) -> ApiAnswer:
    return answer_bodies.answer(answer_bodies.transfer(found, changes.people(found), call.settings), status)


def show_list(call: ApiCall) -> ApiAnswer:
    check_on(call)
    shelf, at = Shelf(call.query.get("shelf", Shelf.SENT)), int(call.query.get("page", "1"))
    rows, total = listing.listed(call.person, shelf, call.query.get("words", ""), Order.DATE, at)
    return answer_bodies.answer({"transfers": [answer_bodies.listed(one) for one in rows], "total": total, "page": at})


def make(call: ApiCall) -> ApiAnswer:
    check_on(call)
    wishes = transfer_sending.wishes_of(call.body)
    if not call.key:
        return _told(transfer_sending.begin(call.person, wishes, call.settings), call, 201)
    with keyed(call.person, "transfer", call.key, call.fingerprint, call.settings) as work:
        if not work.number:
            work.finish(transfer_sending.begin(call.person, wishes, call.settings).id)
    found = changes.of_owner(work.number, call.person)
    if found is None:  # long closed
        raise ProblemError("over")
    return _told(found, call, 201)


def show(call: ApiCall) -> ApiAnswer:
    return _told(mine(call), call)


def events(call: ApiCall) -> ApiAnswer:
    return answer_bodies.answer({"events": [answer_bodies.event(one) for one in store.last_events(mine(call), 500)]})


def send(call: ApiCall) -> ApiAnswer:
    found = mine(call)
    if found.request_id is not None:
        raise ProblemError("not-found")
    if found.key_check or found.end_to_end:
        raise ProblemError("conflict", "Only its link holds the key of its files, which its page alone knows.")
    transfer_sending.publish(found, call.person, call.settings, mails=call.body.get("mail"))
    return _told(mine(call), call)


def extend(call: ApiCall) -> ApiAnswer:
    found = mine(call)
    form = TransferForm(until=call.body["until"])
    form.check(call.person, call.settings, mails=False, space=0)
    if "until" in form.errors:
        raise ProblemError("invalid", errors=[{"at": "/until", "fault": form.errors["until"]}])
    if not changes.extend(found, form.expires()):
        raise ProblemError("over")
    return _told(mine(call), call)


def close(call: ApiCall) -> ApiAnswer:
    """As its owner does on its page: they can think better of it there for ten minutes."""
    found = mine(call)
    store.close(found, "owner")
    return _told(mine(call), call)


def delete(call: ApiCall) -> ApiAnswer:
    """For good: the files go at once, as far as a moment allows; the worker deletes the rest."""
    found = mine(call)
    store.close(found, "owner")
    store.purge(found, call.settings, 5.0)
    return ApiAnswer(None, 204)


def remind(call: ApiCall) -> ApiAnswer:
    found = mine(call)
    return answer_bodies.answer({"reminded": len(recipients.remind(found, call.settings))})


def add_recipients(call: ApiCall) -> ApiAnswer:
    found = mine(call)
    if found.request_id is not None or not store.is_offered(found) or found.end_to_end or found.key_check:
        raise ProblemError("conflict")
    if not transfer_sending.can_mail(call.settings):
        raise ProblemError("conflict", "This installation mails no links.")
    form = TransferForm(
        to=transfer_sending.checked_addresses(tuple(call.body["to"]), "to"), until=answer_bodies.moment(found.expires) or ""
    )
    form.check(call.person, call.settings, mails=True, space=mail_limits.people_left(call.person, call.settings))
    if "to" in form.errors:
        raise ProblemError("invalid", errors=[{"at": "/to", "fault": form.errors["to"]}])
    try:
        changes.add_people(found, [(one.name, one.email) for one in form.people()], call.settings)
    except (BadAddressError, LimitReachedError) as error:
        most = call.settings.transfers.recipients
        raise ProblemError("invalid", errors=[{"at": "/to", "fault": f"a transfer has at most {most} recipients"}]) from error
    recipients.settle(found, call.settings)
    return _told(mine(call), call)


def _person(call: ApiCall, found: Transfer) -> TransferRecipient:
    one = changes.person(found, call.values["person"])
    if one is None:
        raise ProblemError("not-found")
    return one


def remove_recipient(call: ApiCall) -> ApiAnswer:
    changes.remove_person(_person(call, mine(call)))
    return ApiAnswer(None, 204)


def remind_recipient(call: ApiCall) -> ApiAnswer:
    found = mine(call)
    return answer_bodies.answer({"reminded": len(recipients.remind(found, call.settings, _person(call, found)))})


def remove_file(call: ApiCall) -> ApiAnswer:
    """Of one that is put together, or was sent: then not the last."""
    found = mine(call)
    file = store.file_of(found, upload=call.values["upload"])
    if file is None:
        raise ProblemError("not-found")
    if found.state == TransferState.CLOSED:
        raise ProblemError("over")
    if found.state == TransferState.OPEN:
        store.remove_file(file, call.settings)
    else:
        try:
            changes.remove_file(found, file, call.settings)
        except LastFileError as error:
            raise ProblemError("conflict", "It is the only file: close the transfer instead.") from error
        recipients.settle(found, call.settings)
    return ApiAnswer(None, 204)


_SHAPE: dict[str, Any] = {"tag": "transfers", "area": "transfers"}
_AT: dict[str, Any] = {**_SHAPE, "answer": "Transfer"}
OPERATIONS = (
    Operation(name="me", method="GET", path="/me", words=_l("Who you are, and your limits"), act=me, tag="account", answer="Me"),
    Operation(
        name="list_transfers", method="GET", path="/transfers", words=_l("List your transfers"), act=show_list, **_SHAPE,
        query={"shelf": one_of(tuple(Shelf)), "page": number(100_000, least=1), "words": text(200)}, answer="TransferList",
    ),
    Operation(
        name="make_transfer", method="POST", path="/transfers", words=_l("Create a transfer; its files follow"), act=make, **_AT,
        body=NEW, status=201, keyed="may", problems=("no-room", "conflict"),
    ),
    Operation(name="show_transfer", method="GET", path="/transfers/{number}", words=_l("Show a transfer"), act=show, **_AT),
    Operation(
        name="delete_transfer", method="DELETE", path="/transfers/{number}", words=_l("Delete a transfer for good"), act=delete,
        status=204, **_SHAPE,
    ),
    Operation(
        name="send_transfer", method="POST", path="/transfers/{number}/send", **_AT, act=send,
        words=_l("Send it: the link works, and its recipients get it by email"), problems=("over", "conflict"),
        body=record({"mail": yes_or_no("false: the link is mailed to nobody")}),
    ),
    Operation(
        name="extend_transfer", method="POST", path="/transfers/{number}/extend", words=_l("Change its last day"), act=extend,
        body=record({"until": _UNTIL}, "until"), problems=("over",), **_AT,
    ),
    Operation(
        name="close_transfer", method="POST", path="/transfers/{number}/close", words=_l("Close it: the link no longer works"),
        act=close, **_AT,
    ),
    Operation(
        name="remind", method="POST", path="/transfers/{number}/remind", words=_l("Remind everyone who has not downloaded"),
        act=remind,
        answer="Reminded", **_SHAPE,
    ),
    Operation(
        name="list_events", method="GET", path="/transfers/{number}/events", words=_l("What happened to it, newest first"),
        act=events,
        answer="Events", **_SHAPE,
    ),
    Operation(
        name="add_recipients", method="POST", path="/transfers/{number}/recipients", words=_l("Send the link to more people"),
        act=add_recipients, body=record({"to": {**_ADDRESSES, "minItems": 1}}, "to"), problems=("conflict",), **_AT,
    ),
    Operation(
        name="remove_recipient", method="DELETE", path="/transfers/{number}/recipients/{person}", act=remove_recipient,
        status=204,
        words=_l("Remove a recipient: their link no longer works"), **_SHAPE,
    ),
    Operation(
        name="remind_recipient", method="POST", path="/transfers/{number}/recipients/{person}/remind", act=remind_recipient,
        words=_l("Remind one recipient"), answer="Reminded", **_SHAPE,
    ),
    Operation(
        name="remove_file", method="DELETE", path="/transfers/{number}/uploads/{upload}", act=remove_file, status=204,
        words=_l("Remove a file"), problems=("over", "conflict"), **_SHAPE,
    ),
)  # fmt: skip

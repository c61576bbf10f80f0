"""Guests' pages: what is asked for and by whom, the form to send it, and the receipt of what was sent.

Nobody is signed in here and no cookie is set: who may do what is in the address alone (`webmail/transfers/requests/guests.py`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import redirect, request
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webmail.admission import AdmissionRefusedError
from webmail.auth.guard import public
from webmail.errors import BadAddressError
from webmail.mime.headers.address_input import parse_addresses
from webmail.mime.threats.skeletons import visible
from webmail.models import ContentState, FileRequest, Transfer, TransferFile, TransferState
from webmail.rate_limits import TooManyRequestsError
from webmail.transfers import assembly, links, store
from webmail.transfers.blueprint import blueprint
from webmail.transfers.limits import OverLimitError
from webmail.transfers.notifications import no_room, recipients
from webmail.transfers.public import access
from webmail.transfers.requests import guests, requests
from webmail.transfers.requests.guests import AskedForFiles, Guest, Shut
from webmail.transfers.texts.refusals import refusal_words, upload_words
from webmail.transfers.uploads import form_uploads
from webmail.transfers.uploads.form_uploads import TakenForm
from webmail.transfers.uploads.upload_bodies import RETRY_SECONDS, SMALL_FORMS, Body, TooManyUploadsError, admitted
from webmail.transfers.views import uploads, visitors
from webmail.transfers.views.asking import end_words
from webmail.transfers.views.public_page import SentBy
from webmail.transfers.views.visitors import NoVisitError
from webmail.web.current import settings
from webmail.web.forms.body_limits import reads_its_body
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language

_SHOWN_FILES = 500  # of a receipt
_ROWS = 200  # of files, on the form
_SMALL = 1 << 20  # bytes
_FIELDS = {"name": guests.LONGEST_NAME, "address": 254, "message": guests.LONGEST_MESSAGE}


@blueprint.get("/g/<link>")
@public
@visitors.for_visitors
def guest(link: str) -> Response:
    """Three SELECTs at most for who asks, and those of the files."""
    found = _led_to(link)
    if isinstance(found, AskedForFiles) and (begun := _begun(found, request.args.get("of", ""))) is not None:
        return redirect(address_of(begun), 302)  # a script began it by this link
    if isinstance(found, AskedForFiles):
        return _form_page(link, found.request, _began_with(found), found=found)
    if found.state == TransferState.OPEN:
        if (why := guests.may_go_on(found, settings())) is not None:
            raise NoVisitError(shut_page(found, why))
        return _form_page(link, guests.request_for_transfer(found), _typed_before(found), transfer=found)
    return receipt_page(link, found)


def _led_to(link: str) -> AskedForFiles | Transfer:
    """The request of a link that is open, or the transfer of a receipt. Raises NoVisitError."""
    token, _key = links.parts(link)
    if (found := guests.find_request(token)) is not None:
        if (why := guests.shut(found, settings())) is not None:
            raise NoVisitError(shut_page(found, why))
        return found
    if (transfer := guests.of_receipt(token)) is not None:
        return transfer
    try:
        access.count_unknown(visitors.network(), settings())
    except TooManyRequestsError as error:
        raise NoVisitError(visitors.wait(error)) from error
    raise NoVisitError(
        visitors.told(
            _("There is nothing at this link"),
            _("It may have been cut off in the message, or may no longer work. Ask the person who gave it to you for a new one."),
            404,
        )
    )


def shut_page(what: AskedForFiles | Transfer, why: Shut) -> Response:
    asked = _asked_by(what)
    owner = asked.owner
    name = owner.name or owner.address
    if why is Shut.OFF:
        return visitors.told(_("Files can’t be sent here"), _("Files are not accepted here at the moment."), 410)
    if why is Shut.USED:
        return visitors.told(
            _("This link has already been used"),
            _("It works once, and files were sent with it. Ask %(name)s for another one.", name=name),
            410,
        )
    if why is Shut.OVER and asked.until is not None:
        day = end_words(asked.until)
        return visitors.told(
            _("This has ended"), _("Files could be sent until %(day)s. Ask %(name)s for another link.", day=day, name=name), 410
        )
    words = _("%(name)s no longer accepts files here. Ask them for another link.", name=name)
    return visitors.told(_("This link is closed"), words, 410)


# --- the form --------------------------------------------------------------------------------------------------------


def _began_with(found: AskedForFiles) -> dict[str, str]:
    return {"name": found.invite.name if found.invite is not None else "", "address": "", "message": ""}


def _typed_before(transfer: Transfer) -> dict[str, str]:
    own = transfer.guest_address if transfer.invite_id is None else ""
    return {"name": transfer.guest_name, "address": own, "message": transfer.message}


def _form_page(
    link: str, file_request: FileRequest, typed: dict[str, str], status: int = 200, *, found: AskedForFiles | None = None,
    transfer: Transfer | None = None, problems: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """`typed`: what stands in the fields, with the `problems` of them; `transfer`: what was begun already."""
    most_bytes, most_files = guests.allowed(file_request, settings())
    invite = found.invite if found is not None else transfer.invite if transfer is not None else None
    files = sorted(store.files(transfer), key=assembly.is_whole) if transfer is not None else []  # what is gone on with is first
    words = upload_words() | {"out": _("This page was open for too long. Reload it to continue.")}
    return visitors.page(
        "transfers/guest/form.html", status, here=_here(link), row=file_request, sender=_sender(file_request), invite=invite,
        typed=typed, problems=problems or {}, transfer=transfer, files=files[:_ROWS],
        more=len(files) - _ROWS, most_bytes=most_bytes, most_files=most_files,
        days=file_request.days or settings().transfers.days, limits=_FIELDS,
        mails=settings().system_sender is not None and bool(settings().public_url), words=words, is_whole=assembly.is_whole,
        uploads_url=url_for("transfers.guest_uploads", link=link), of=link if transfer is not None else "",
        endings=sorted(settings().transfers.endings),
    )  # fmt: skip


def _sender(file_request: FileRequest) -> SentBy:
    """Who asks: all that strangers learn of them."""
    return SentBy(file_request.owner.name, file_request.owner.address, True)


def _here(link: str) -> str:
    return url_for("transfers.send_as_guest", link=link, lang=chosen_language() or None)


def typed_fields(values: MultiDict[str, str]) -> dict[str, str]:
    """What was typed, made harmless: one line of visible letters for the name; a little longer than allowed, to say so."""
    name = " ".join(visible(values.get("name", "")[:1000]).split())
    message = values.get("message", "").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    lines = ["".join(mark for mark in line if mark.isprintable() or mark == "\t") for line in message.split("\n")]
    return {
        "name": name[: 2 * guests.LONGEST_NAME],
        "address": values.get("address", "").strip()[:300],
        "message": "\n".join(lines).strip()[: 2 * guests.LONGEST_MESSAGE],
    }


def problems_of(typed: dict[str, str], file_request: FileRequest, *, invited: bool) -> dict[str, str]:
    found = {
        name: _("This is too long. Use at most %(count)d characters.", count=most)
        for name, most in _FIELDS.items()
        if len(typed[name]) > most
    }
    if file_request.asks_name and not typed["name"] and not invited:
        found["name"] = _("Type your name: it is required here.")
    if typed["address"] and "address" not in found:
        try:
            one = parse_addresses(typed["address"])
        except BadAddressError:
            one = ()
        if len(one) != 1 or one[0].email != typed["address"]:
            found["address"] = _("This is not a complete address. It looks like marie@example.org.")
    return found


def guest_of(typed: dict[str, str]) -> Guest:
    return Guest(typed["name"], typed["address"], typed["message"], visitors.network(), str(get_locale()))


def address_of(transfer: Transfer, **values: Any) -> str:
    """The page of what a guest sends or sent, in the language that was chosen."""
    token = guests.receipt_token(transfer, settings())
    return url_for("transfers.guest", link=token, lang=chosen_language() or None, **values)


# --- the receipt -----------------------------------------------------------------------------------------------------


def receipt_page(link: str, transfer: Transfer) -> Response:
    asked, files = guests.request_for_transfer(transfer), store.files(transfer)
    until = transfer.published + guests.SHOWN if transfer.published is not None else None
    done = request.args.get("done", "")
    return visitors.page(
        "transfers/guest/receipt.html", here=_here(link), row=asked, sender=_sender(asked), transfer=transfer,
        files=files[:_SHOWN_FILES], count=len(files), total=sum(one.size for one in files), more=_link_for_more(transfer),
        shown_until=until, states=ContentState, closed=transfer.state == TransferState.CLOSED,
        taken_back=done == "withdrawn", late=done == "late", asked_back=request.args.get("back", ""),
        asking_url=lambda one: address_of(transfer, back=one.upload),
    )  # fmt: skip


def _link_for_more(transfer: Transfer) -> str:
    """The link by which they came, where more can be sent by it."""
    asked, invite = guests.request_for_transfer(transfer), transfer.invite
    if transfer.published is None or (invite is not None and invite.removed is not None):
        return ""
    if invite is None and asked.invited_only:
        return ""
    if guests.shut(AskedForFiles(asked, invite), settings()) is not None:
        return ""
    return requests.token(asked, settings()) if invite is None else requests.invite_token(invite, settings())


# --- what is sent ----------------------------------------------------------------------------------------------------


@blueprint.post("/g/<link>")
@public
@reads_its_body
@visitors.for_visitors
def send_as_guest(link: str) -> Response:
    """Fields `name address message`, `files`; `action`: send, or `remove:` and an upload; `withdraw` (one) after it was sent.

    What is refused keeps the rest: the page of what was begun shows it, with what was typed.
    """
    length = request.content_length
    try:
        if length is not None and length <= _SMALL:
            with suppress(AdmissionRefusedError), SMALL_FORMS.admit(visitors.network()):
                return _taken(link, uploads.body_of_request())
        with admitted(visitors.sender(None), settings(), form=True):
            return _taken(link, uploads.body_of_request())
    except TooManyUploadsError as error:
        return visitors.told(_("Please wait a moment"), refusal_words(error), 503, retry=RETRY_SECONDS)


def _taken(link: str, body: Body) -> Response:
    """Answer a form, of which nothing was read yet."""
    try:
        found = _led_to(link)
        begun = _begun(found, request.args.get("of", ""))
        if begun is not None and begun.state == TransferState.OPEN and (why := guests.may_go_on(begun, settings())) is not None:
            raise NoVisitError(shut_page(begun, why))
    except NoVisitError:
        body.drop()
        raise
    asked = _asked_by(found)
    if begun is not None and begun.state != TransferState.OPEN:
        return _after_sending(begun, body)
    delivery = _Delivery(found if isinstance(found, AskedForFiles) else None, begun)
    taken = form_uploads.take(
        body, request.headers.get("Content-Type", ""), delivery.for_another_file, settings(),
        most_bytes=asked.most_bytes, most_files=asked.most_files,
    )  # fmt: skip
    fields: MultiDict[str, str] = MultiDict([(name, value) for name, values in taken.fields.items() for value in values])
    typed = typed_fields(fields)
    if begun is None and delivery.transfer is not None and not taken.files:
        assembly.drop(delivery.transfer, settings())  # for files of which none was taken; what was typed stands on the page
        delivery.transfer = None
    transfer = delivery.transfer or _begun(found, fields.get("of", ""))
    if transfer is not None:
        guests.rename(transfer, guest_of(typed))
    if transfer is not None and (upload := fields.get("action", "").removeprefix("remove:")) != fields.get("action", ""):
        file = next((one for one in store.files(transfer) if one.upload == upload), None)
        if file is not None:
            guests.withdraw(file, transfer, settings())
        return redirect(address_of(transfer), 303)
    problems = problems_of(typed, asked, invited=_is_invited(found)) | _file_problems(taken, asked)
    if not problems and transfer is not None:
        return _sent(transfer, typed)
    if transfer is None and "files" not in problems:
        problems["files"] = _("Choose at least one file.")
    return _again(link, found, transfer, typed, problems)


def _after_sending(transfer: Transfer, body: Body) -> Response:
    """`withdraw` a file; a form that is sent twice leads to the receipt."""
    if body.length is None or body.length > _SMALL:
        body.drop()
        return redirect(address_of(transfer), 303)
    upload = request.form.get("withdraw", "")
    return withdraw(transfer, upload) if upload else redirect(address_of(transfer), 303)


class _Delivery:
    """What a form adds to: it begins with its first file."""

    def __init__(self, found: AskedForFiles | None, transfer: Transfer | None) -> None:
        self.found, self.transfer = found, transfer

    def for_another_file(self) -> Transfer:
        """Raises NotOpenError, TooManyRequestsError, NoRoomError."""
        if self.transfer is None and self.found is not None:
            nobody_yet = Guest(network=visitors.network(), language=str(get_locale()))
            self.transfer = guests.begin(self.found, nobody_yet, settings())
        assert self.transfer is not None  # one of both is given
        guests.check(self.transfer, settings())
        return self.transfer


def _begun(found: AskedForFiles | Transfer, owner: str) -> Transfer | None:
    """What a form goes on with: that of its own link, or the one that a script began by the link of the same request."""
    if isinstance(found, Transfer):
        return found
    other = guests.of_receipt(links.parts(owner)[0])
    same = other is not None and other.request_id == found.request.id and other.invite == found.invite
    return other if same else None


def _asked_by(found: AskedForFiles | Transfer) -> FileRequest:
    return found.request if isinstance(found, AskedForFiles) else guests.request_for_transfer(found)


def _is_invited(found: AskedForFiles | Transfer) -> bool:
    return found.invite is not None


def _file_problems(taken: TakenForm, file_request: FileRequest) -> dict[str, str]:
    if any(isinstance(error, OverLimitError) and error.limit in guests.NO_ROOM for _name, error in taken.refused):
        guests.make_way(file_request, settings())
        requests.note_full(file_request)
        no_room.tell_owner(file_request)
    words = [refusal_words(guests.as_told(error), name) for name, error in taken.refused[:20]]
    if taken.broken is not None:
        words.append(_("Not everything arrived: the connection was lost, or was too slow. Choose the missing files again."))
    return {"files": " ".join(dict.fromkeys(words))} if words else {}


def _sent(transfer: Transfer, typed: dict[str, str]) -> Response:
    link = guests.receipt_token(transfer, settings())
    try:
        guests.send(transfer, settings())
    except guests.NotOpenError as error:
        return shut_page(transfer, error.why)
    except guests.NothingSentError:
        return _again(link, transfer, transfer, typed, {"files": _("Choose at least one file.")})
    except store.FilesChangedError:
        words = _("Files have just been added from another window. Check them, then send.")
        return _again(link, transfer, transfer, typed, {"files": words})
    except guests.NotWholeError as error:
        words = _("“%(name)s” is incomplete. Choose it again to continue, or remove it.", name=error.names[0])
        return _again(link, transfer, transfer, typed, {"files": words})
    recipients.settle(Transfer.get_by_id(transfer.id), settings())
    return redirect(address_of(transfer), 303)


def _again(
    link: str, found: AskedForFiles | Transfer, transfer: Transfer | None, typed: dict[str, str], problems: dict[str, str]
) -> Response:
    """The form with what was typed, and what is here already."""
    if transfer is not None:
        link = guests.receipt_token(transfer, settings())
    asked = found if isinstance(found, AskedForFiles) else None
    return _form_page(link, _asked_by(found), typed, 422, found=asked, transfer=transfer, problems=problems)


def withdraw(transfer: Transfer, upload: str) -> Response:
    """Take back one file that nobody fetched yet; back on the receipt, which says what became of it."""
    file: TransferFile | None = next((one for one in store.files(transfer) if one.upload == upload), None)
    taken = file is not None and guests.withdraw(file, transfer, settings())
    return redirect(address_of(transfer, done="withdrawn" if taken else "late"), 303)


CHECK_TOKENS_THEMSELVES = (send_as_guest,)  # there is no cookie that a foreign form could use

"""The page of one of one's transfers: its link, its files, who has what; and everything that is changed there."""

from __future__ import annotations

import csv
import io
from datetime import UTC

from flask import Response, abort, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from webmail import schedule
from webmail.drives import open_drives
from webmail.errors import BadAddressError, LimitReachedError
from webmail.mime.formats.address_books.csv_out import harmless
from webmail.models import ContentState, Transfer, TransferFile, TransferRecipient, TransferState, now
from webmail.schedule import BadTimeError
from webmail.transfers import additions, changes, links, mail_limits, options, other_server, protection, store
from webmail.transfers.blueprint import blueprint
from webmail.transfers.changes import LastFileError
from webmail.transfers.notifications import recipients
from webmail.transfers.saving import drive_save
from webmail.transfers.texts import transfer_texts
from webmail.transfers.texts.file_texts import scan_words, state_words
from webmail.transfers.trail import EventKind
from webmail.transfers.transfer_forms import LONGEST_TO, TransferForm, last_day
from webmail.transfers.views import link_keys
from webmail.transfers.views.adding import fault_words
from webmail.web.current import current_user, settings, time_zone
from webmail.web.formatting import day_in_full, local
from webmail.web.notices import notify, withdraw_notices
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.responses.downloads import named
from webmail.web.templates.addresses import url_for

_UNDO_SECONDS = 600  # as long as the files are kept (`store.UNDO`)
_SHORT_TRAIL = 8
_TRAIL = 500  # lines of the page
_WHOLE_TRAIL = 20_000  # of the file
_MOST_FILES = 200  # that are shown


def _mine(number: int) -> Transfer:
    found = _owned(number)
    return found if found.adds_to_id is None else abort(404)  # it has no page of its own


def _owned(number: int) -> Transfer:
    found = changes.of_owner(number, current_user()) if settings().transfers.on else None
    return found if found is not None else abort(404)


def _check_here(transfer: Transfer) -> None:
    """What another server gives out is changed there."""
    if transfer.state == TransferState.HANDED:
        abort(404)


def _at(number: int, anchor: str = "") -> AnyResponse:
    return redirect(url_for("transfers.one", number=number) + (f"#{anchor}" if anchor else ""), 303)


@blueprint.get("/transfers/<int:number>")
def one(number: int) -> AnyResponse:
    """Seven SELECTs, eight where files are being added."""
    transfer = _owned(number)
    if transfer.adds_to_id is not None:
        return redirect(url_for("transfers.adding", number=transfer.adds_to_id, addition=number), 303)
    if transfer.state == TransferState.OPEN and transfer.request_id is None:
        return redirect(url_for("transfers.new", of=number), 303)
    if transfer.state == TransferState.HANDED:
        server = other_server.for_user(current_user(), settings())
        return redirect(url_for(f"{server.name}.of_transfer", number=number), 303) if server else _page(transfer)
    return _page(transfer)


def _page(transfer: Transfer, status: int = 200, *, errors: dict[str, str] | None = None, typed: str = "") -> Response:
    """`errors`: by field, of what was `typed`."""
    files, people = store.files(transfer), changes.people(transfer)
    files.sort(key=lambda one: not _is_refused(one))  # these hold back the others, until they are removed
    offered, key = store.is_offered(transfer), link_keys.load_for_page(transfer)
    states = {one.content.state for one in files if one.content is not None and one.content.state != "ready"}
    token = store.link_token(transfer, settings())
    return page(
        "transfers/one.html", status, transfer=transfer, files=files[:_MOST_FILES], more=len(files) - _MOST_FILES,
        people=people, offered=offered, states=states, kind=transfer_texts.state_kind(transfer, states),
        title=_title(transfer, files), size=sum(transfer_texts.size_of(one, transfer) for one in files),
        chosen=options.load(transfer),
        link=_address(token, key) if offered and _can_be_shown(transfer, key) else "", token=token,
        sealed_link=_address(token, None) if offered and transfer.end_to_end else "",
        sealed_names=protection.sealed_names(transfer),
        events=store.last_events(transfer, _SHORT_TRAIL), texts=transfer_texts, state_words=state_words, scan_words=scan_words,
        errors=errors or {}, typed=typed, until=request.form.get("until") or schedule.day_and_hour(
            transfer.expires.replace(tzinfo=UTC), time_zone(), ends=True)[0],
        last_day=_last_day(), mails=_mails(transfer), undo=_may_reopen(transfer),
        saves=_can_be_saved(transfer, files), **_additions(transfer),
    )  # fmt: skip


def _additions(transfer: Transfer) -> dict[str, object]:
    """What is being added, and whether more can be; `key_asked`: only with the link, which this session does not know."""
    if transfer.request_id is not None or not store.is_offered(transfer):
        return {"waiting": [], "addable": False}
    fault = additions.fault(transfer, settings())
    return {
        "waiting": additions.waiting(transfer), "addable": fault is None, "add_fault": fault_words(fault) if fault else "",
        "key_asked": bool(transfer.key_check) and link_keys.load(transfer) is None,
    }  # fmt: skip


def _is_refused(file: TransferFile) -> bool:
    return file.content is not None and file.content.state == ContentState.REFUSED


def _title(transfer: Transfer, files: list[TransferFile]) -> str:
    if transfer.request_id is not None:
        return _("From %(name)s", name=transfer_texts.guest_words(transfer))
    return transfer_texts.title_of(transfer, files)


def _address(token: str, key: bytes | None) -> str:
    link = f"{token}.{links.packed_key(key)}" if key else token
    return public_link("transfers.show", link=link) or request.host_url.rstrip("/") + url_for("transfers.show", link=link)


def _can_be_shown(transfer: Transfer, key: bytes | None) -> bool:
    """Whether we have all of its link: what the link alone holds is known for an hour."""
    return not transfer.end_to_end and (not transfer.key_check or key is not None)


def _mails(transfer: Transfer) -> bool:
    """Whether its link can be mailed from here."""
    return bool(settings().system_address and settings().public_url) and _can_be_shown(transfer, link_keys.load(transfer))


def _can_be_saved(transfer: Transfer, files: list[TransferFile]) -> bool:
    """Whether a file can go to a drive of one's own. 0 queries."""
    return (
        open_drives.are_offered(current_user(), settings())
        and drive_save.is_possible(transfer)
        and any(map(drive_save.is_ready, files))
    )


def _last_day() -> str:
    """The furthest day that may be chosen, as the field has it."""
    return last_day(settings().transfers.most_days)


def _may_reopen(transfer: Transfer) -> bool:
    lately = transfer.closed is not None and transfer.closed > now() - store.UNDO
    return bool(lately and transfer.state == TransferState.CLOSED and transfer.closed_by == "owner" and not transfer.files_gone)


# --- changes ---------------------------------------------------------------------------------------------------------


@blueprint.post("/transfers/<int:number>")
def act_on_transfer(number: int) -> AnyResponse:
    """`action`: extend (`until`), add (`to`), remind, close, reopen, which an addition that was discarded knows too."""
    action = request.form.get("action", "")
    transfer = _owned(number) if action == "reopen" else _mine(number)
    _check_here(transfer)
    if action == "extend":
        return _extend(transfer)
    if action == "add":
        return _add(transfer)
    if action == "remind":
        _remind(transfer)
    elif action == "close":
        _close(transfer)
    elif action == "reopen":
        _reopen(transfer)
    else:
        abort(400)
    return _at(number)


def _extend(transfer: Transfer) -> AnyResponse:
    form = TransferForm.typed(MultiDict({}), settings())
    form.until = request.form.get("until", "")[:40].strip()
    form.check(current_user(), settings(), mails=False, space=0)
    if "until" in form.errors:
        return _page(transfer, 422, errors=form.errors)
    try:
        until = form.expires()
    except BadTimeError:
        abort(400)
    if changes.extend(transfer, until):
        notify(_("It can be downloaded until %(day)s.", day=day_in_full(local(until).date())))
    else:
        notify(_("This transfer has ended. Its date can no longer be changed."), "caution")
    return _at(transfer.id)


def _add(transfer: Transfer) -> AnyResponse:
    typed = request.form.get("to", "")[: LONGEST_TO + 1]
    if transfer.request_id is not None or not store.is_offered(transfer) or not _mails(transfer):
        notify(_("Nobody can be added to this transfer now."), "caution")
        return _at(transfer.id)
    form = TransferForm.typed(MultiDict({"to": typed}), settings())
    form.check(current_user(), settings(), mails=True, space=mail_limits.people_left(current_user(), settings()))
    if "to" in form.errors:
        return _page(transfer, 422, errors={"to": form.errors["to"]}, typed=typed)
    try:
        added = changes.add_people(transfer, [(one.name, one.email) for one in form.people()], settings())
    except BadAddressError:
        abort(400)
    except LimitReachedError:
        most = settings().transfers.recipients
        words = ngettext(
            "A transfer can have at most %(num)d recipient.", "A transfer can have at most %(num)d recipients.", most
        )
        return _page(transfer, 422, errors={"to": words}, typed=typed)
    recipients.settle(transfer, settings(), link_keys.load(transfer))
    if added:
        notify(ngettext("Link sent to %(num)d person.", "Link sent to %(num)d people.", len(added)))
    else:
        notify(_("They already have the link."), "plain")
    return _at(transfer.id, "people")


def _remind(transfer: Transfer) -> None:
    count = len(recipients.remind(transfer, settings()))
    if count:
        notify(ngettext("Reminder sent to %(num)d person.", "Reminder sent to %(num)d people.", count))
    else:
        notify(_("There is nobody to remind: everyone has downloaded, or had a message less than a day ago."), "plain")


def _close(transfer: Transfer) -> None:
    if store.close(transfer, "owner"):
        undo = (url_for("transfers.act_on_transfer", number=transfer.id), {"action": "reopen"})
        words = _("The transfer is closed: nobody can download it. Its files are deleted in 10 minutes.")
        notify(words, undo=undo, keep=_UNDO_SECONDS)


def _reopen(transfer: Transfer) -> None:
    withdraw_notices()
    if store.reopen(transfer):
        is_addition = transfer.adds_to_id is not None
        notify(_("The files are back.") if is_addition else _("The transfer has been reopened. The link is the same."))
    else:
        notify(_("Its files have already been deleted: this transfer can’t be reopened."), "caution")


@blueprint.post("/transfers/<int:number>/people/<int:person>")
def act_on_recipient(number: int, person: int) -> AnyResponse:
    """`action`: again (mail the link), remind, remove, put-back."""
    transfer, action = _mine(number), request.form.get("action", "")
    _check_here(transfer)
    found = changes.person(transfer, person)
    if found is None:
        abort(404)
    if action == "remove":
        _remove_person(transfer, found)
    elif action == "put-back":
        withdraw_notices()
        if changes.put_back(found) and store.is_offered(transfer):
            recipients.settle(transfer, settings(), link_keys.load(transfer))
            notify(_("The link of %(address)s works again.", address=found.address))
    elif action == "again":
        if recipients.send_again(found, settings(), link_keys.load(transfer)) is not None:
            notify(_("Link sent to %(address)s.", address=found.address))
        else:
            notify(
                _("%(address)s had a message less than ten minutes ago, or can’t receive one now.", address=found.address),
                "plain",
            )
    elif action == "remind":
        if recipients.remind(transfer, settings(), found):
            notify(_("Reminder sent to %(address)s.", address=found.address))
        else:
            notify(_("%(address)s had a message less than a day ago, or has already downloaded.", address=found.address), "plain")
    else:
        abort(400)
    return _at(number, "people")


def _remove_person(transfer: Transfer, found: TransferRecipient) -> None:
    if changes.remove_person(found):
        undo = (url_for("transfers.act_on_recipient", number=transfer.id, person=found.id), {"action": "put-back"})
        notify(_("The link of %(address)s no longer works.", address=found.address), undo=undo)


@blueprint.post("/transfers/<int:number>/files/<upload>")
def act_on_file(number: int, upload: str) -> AnyResponse:
    """`action`: remove, which was confirmed on the page."""
    transfer = _mine(number)
    _check_here(transfer)
    found = TransferFile.get_or_none((TransferFile.transfer == transfer) & (TransferFile.upload == upload))
    if found is None:
        abort(404)
    if request.form.get("action") != "remove":
        abort(400)
    if transfer.state == TransferState.CLOSED:
        notify(_("This transfer has ended: its files have been deleted, or are about to be."), "caution")
        return _at(number)
    try:
        changes.remove_file(transfer, found, settings())
    except LastFileError:
        notify(_("This is the only file. Close the transfer instead."), "caution")
        return _at(number)
    recipients.settle(transfer, settings(), link_keys.load(transfer))
    notify(_("“%(name)s” was removed.", name=found.path.rpartition("/")[2]))
    return _at(number)


# --- the trail -------------------------------------------------------------------------------------------------------


@blueprint.get("/transfers/<int:number>/trail")
def trail(number: int) -> Response:
    """Three SELECTs."""
    transfer = _mine(number)
    events = store.last_events(transfer, _TRAIL)
    return page(
        "transfers/trail.html", transfer=transfer, title=_title(transfer, store.files(transfer)), events=events,
        texts=transfer_texts, most=_TRAIL,
    )  # fmt: skip


@blueprint.get("/transfers/<int:number>/trail.csv")
def trail_csv(number: int) -> Response:
    """The trail, the oldest line first; times in UTC (ISO 8601). Two SELECTs."""
    transfer = _mine(number)
    lines = [_row([_("Time (UTC)"), _("Type"), _("Person"), _("File"), _("Detail"), _("In words")])]
    for event in reversed(store.last_events(transfer, _WHOLE_TRAIL)):
        who = event.recipient.address if event.recipient is not None else ""
        file, detail = (event.file.path if event.file is not None else ""), str(event.detail)
        if not file and event.kind in (EventKind.DOWNLOADED, EventKind.FILE_REMOVED):  # removed since: its name is kept there
            file, detail = detail, ""
        at = event.at.replace(microsecond=0).isoformat() + "Z"
        detail = detail.replace("\n", ", ")
        lines.append(_row([at, event.kind, who, file, detail, transfer_texts.event_words(event)]))
    name = _("trail")
    return named(("\ufeff" + "".join(lines)).encode(), "text/csv", f"{name}-{number}.csv")


def _row(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(str(cell)) for cell in cells])
    return text.getvalue()

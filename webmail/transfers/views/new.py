"""Sending large files: one page to put a transfer together, whose form streams the files into the storage as they come.

The form's token stands in its address, since the body is not read before the view. What was typed is kept with the transfer, so
that one can go on another day; a form that is not right leads back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from flask import abort, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webmail.admission import AdmissionRefusedError
from webmail.database.user_lock import user_lock
from webmail.errors import BadAddressError
from webmail.models import ContentState, Transfer, TransferFile, TransferState
from webmail.transfers import assembly, mail_limits, other_server, protection, store
from webmail.transfers.blueprint import blueprint
from webmail.transfers.limits import MB, OverLimitError
from webmail.transfers.notifications import recipients
from webmail.transfers.other_server import NotThereError, OtherServer
from webmail.transfers.protection import NotProtectedError, Protection
from webmail.transfers.store import FilesChangedError, TransferClosedError
from webmail.transfers.texts import transfer_texts
from webmail.transfers.texts.refusals import refusal_words, upload_words
from webmail.transfers.transfer_forms import TransferForm
from webmail.transfers.uploads import form_uploads
from webmail.transfers.uploads.form_uploads import FormBrokenError, TakenForm
from webmail.transfers.uploads.upload_bodies import SMALL_FORMS, Body, Sender, TooManyUploadsError, admitted
from webmail.transfers.views import link_keys
from webmail.transfers.views.uploads import body_of_request
from webmail.web.current import current_user, settings
from webmail.web.forms.address_token import address_token, check_address_token
from webmail.web.forms.body_limits import reads_its_body
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.errors import too_many_files
from webmail.web.templates.addresses import url_for

_SMALL = MB  # bytes of a form without files, which waits for no file of others
_FORM = "transfer form"
_ROWS = 200  # of files, on the page


@blueprint.get("/transfers/new")
def new() -> Response:
    """The page, empty or (`of`) with what was put together before. `check`: say what is wrong with it, to `send` or `link` it."""
    _is_on()
    transfer = _transfer_of_address()
    if transfer is None:
        return _form_page(TransferForm.fresh(settings(), current_user().language, request.args.get("to", "")), None)
    form = TransferForm.showing(transfer, settings())
    action = request.args.get("check", "")
    if action:
        _check(form, store.files(transfer), action)
    return _form_page(form, transfer, 422 if form.errors else 200)


def _form_page(form: TransferForm, transfer: Transfer | None, status: int = 200) -> Response:
    own, server = settings(), _other_server()
    files = sorted(store.files(transfer), key=assembly.is_whole) if transfer else []  # what can be gone on with comes first
    return page(
        "transfers/new.html", status, form=form, transfer=transfer, files=files[:_ROWS], more=len(files) - _ROWS,
        action=url_for("transfers.send", csrf=address_token(_FORM), of=transfer.id if transfer else None), given=own.transfers,
        mails=_mails(transfer), most_bytes=own.transfers.transfer_mb * MB, is_whole=assembly.is_whole, words=upload_words(),
        texts=transfer_texts,
        elsewhere=server, why_not=server.why_not(transfer) if server and transfer else "",
        unconnected=server is not None and server.find(current_user(), own) is None,
        protections=_protections(), protection=protection.protection_of(transfer) if transfer else "",
        key_here=transfer is not None and link_keys.load(transfer) is not None,
    )  # fmt: skip


@blueprint.post("/transfers/new")
@reads_its_body
def send() -> Response:
    """Take the files; `action`: send (by mail), link, save (to go on later), keep (as it is typed), drop, or remove:<upload>."""
    _is_on()
    check_address_token(_FORM)
    before = _transfer_of_address()
    transfer, taken = _take(before)
    values: MultiDict[str, str] = MultiDict(taken.fields)
    form, action = TransferForm.typed(values, settings()), values.get("action", "")
    tell_taken(taken)
    if before is None and transfer is not None and not (form.to or form.message or form.subject or taken.files):
        assembly.drop(transfer, settings())  # begun for files of which none was taken: there is nothing to be kept
        transfer = None
    if action == "drop" and transfer is not None:
        store.close(transfer, "owner")  # its files stay for a while, should that have been a mistake
        undo = (url_for("transfers.act_on_transfer", number=transfer.id), {"action": "reopen"})
        notify(_("The files were removed. Nothing was sent."), undo=undo)
        return redirect(url_for("transfers.index"), 303)
    if action == "keep":
        return _keep_typed(transfer, form)
    if transfer is not None and (taken.files or taken.refused) and assembly.is_sent(transfer):
        notify(_("Files were sent from another window. What you typed is still here, so you can send the rest."), "caution")
        return _form_page(form, None, 409)
    if transfer is None:
        if _protections()[0] is Protection.BROWSER or not (form.to or form.message or form.subject):
            _check(form, [], action)
            return _form_page(form, None, 422)
        try:
            transfer = link_keys.begin()
        except OverLimitError as error:
            notify(refusal_words(error), "caution")
            return _form_page(form, None, 422)
    form.has_password = bool(transfer.password)
    form.keep_in(transfer)
    if transfer.end_to_end and values.get("sealed_names"):
        protection.set_sealed_names(transfer, values["sealed_names"])
    if action.startswith("remove:"):
        _remove(transfer, action.removeprefix("remove:"))
    fault = form.password_fault()
    if fault:  # it is not kept, so the page could not say it
        notify(_("The password was not set.") + " " + fault, "caution")
    good = action in ("send", "link") and taken.broken is None and not taken.refused and not fault
    if good and _check(form, files := store.files(transfer), action):
        return _published(transfer, form, action, files)
    if action == "save":
        notify(_("Saved. Continue here, or from “Large files”, within three days of the last upload."))
    check = action if action in ("send", "link") else None
    return redirect(url_for("transfers.new", of=transfer.id, check=check), 303)


def _keep_typed(transfer: Transfer | None, form: TransferForm) -> Response:
    """Keep what is typed while files are still on their way; a password only once it is sent, since it may be half of one."""
    if transfer is not None:
        form.password, form.no_password = "", False
        form.keep_in(transfer)
    return Response(status=204)


def _take(transfer: Transfer | None) -> tuple[Transfer | None, TakenForm]:
    """Read the form; the transfer is begun with its first file."""
    begun = [transfer]

    def needed() -> Transfer:
        found = begun[0] = begun[0] or link_keys.begin()
        if found is transfer and not assembly.is_open(found):  # files of one form may come for hours
            raise TransferClosedError(f"transfer {found.id} was sent or closed meanwhile")
        if found.end_to_end:  # only the page's script encrypts
            raise NotProtectedError("files are to be encrypted before they are sent")
        return found

    taken = take_form(needed)
    return begun[0], taken


def take_form(transfer: Callable[[], Transfer]) -> TakenForm:
    """Read the form of this request; `transfer` is asked for with each file. 503 where too many come at once."""
    length, person = request.content_length, f"user {current_user().id}"
    has_files = request.mimetype == "multipart/form-data"

    def read() -> TakenForm:
        return _read(body_of_request(), transfer) if has_files else TakenForm(fields=dict(request.form.lists()))

    if not has_files or (length is not None and length <= _SMALL):
        with suppress(AdmissionRefusedError), SMALL_FORMS.admit(person):
            return read()
    try:
        with admitted(Sender(person), settings(), form=True):
            return read()
    except TooManyUploadsError:
        abort(too_many_files())


def _read(body: Body, transfer: Callable[[], Transfer]) -> TakenForm:
    return form_uploads.take(body, request.content_type or "", transfer, settings(), link_key=link_keys.load)


def tell_taken(taken: TakenForm) -> None:
    """Say which files were not taken, and whether the form broke off."""
    for name, error in taken.refused[:5]:
        notify(refusal_words(error, name), "caution")
    if (more := len(taken.refused) - 5) > 0:
        notify(ngettext("%(num)d other file was refused.", "%(num)d other files were refused.", more), "caution")
    if isinstance(taken.broken, FormBrokenError):
        notify(_("The connection was lost before everything had arrived. Complete files are kept."), "caution")
    elif taken.broken is not None:
        notify(refusal_words(taken.broken, _("The last file")), "caution")


def _remove(transfer: Transfer, upload: str) -> None:
    file = TransferFile.get_or_none((TransferFile.transfer == transfer) & (TransferFile.upload == upload))
    if file is not None:
        store.remove_file(file, settings())
        notify(_("“%(name)s” was removed.", name=file.path.rpartition("/")[2]))


def _check(form: TransferForm, files: list[TransferFile], action: str) -> bool:
    """Whether it can be published; what is wrong is noted in the form."""
    server = _other_server()
    room = mail_limits.people_left(current_user(), settings())
    form.check(current_user(), settings(), mails=action == "send", space=room)
    if server is not None and server.find(current_user(), settings()) is None:
        form.errors["files"] = _("Connect your account at %(name)s first.", name=server.title)
    if any(file.content is not None and file.content.key_in_link for file in files) and link_keys.load(files[0].transfer) is None:
        form.errors["files"] = _(
            "The key to these files was lost with the session in which you began. Discard them and start again."
        )
    if not files:
        form.errors["files"] = _("Choose at least one file.")
    elif refused := next((file for file in files if file.content and file.content.state == ContentState.REFUSED), None):
        name = refused.path.rpartition("/")[2]
        form.errors["files"] = _("“%(name)s” was refused because it may be harmful. Remove it.", name=name)
    elif unfinished := [file for file in files if not assembly.is_whole(file)]:
        name = unfinished[0].path.rpartition("/")[2]
        form.errors["files"] = _("“%(name)s” is incomplete. Choose the same file again, or remove it.", name=name)
    return not form.errors


def _published(transfer: Transfer, form: TransferForm, action: str, files: list[TransferFile]) -> Response:
    """Give it to its recipients, or to nobody in particular; with these files, or not yet."""
    try:
        people = [(one.name, one.email) for one in form.people()] if action == "send" and not transfer.end_to_end else []
    except BadAddressError:
        abort(422)
    key, server = link_keys.load(transfer), _other_server()
    take = store.publish if server is None else server.take
    with user_lock(current_user().id):
        again = assembly.of_owner(transfer.id, current_user())
        if again is None or again.state != TransferState.OPEN:  # by a second click
            return redirect(url_for("transfers.one", number=transfer.id), 303)
        try:
            take(transfer, form.options, form.expires(), people, settings(), looked_at=files)
        except NotThereError as error:
            _mark_not_there(form, error, server)
            return _form_page(form, transfer, 422)
        except FilesChangedError:
            notify(_("Files have just been added from another window. Check them, then send."), "caution")
            return redirect(url_for("transfers.new", of=transfer.id, check=action), 303)
        except TransferClosedError:  # by an administrator, at this moment
            return redirect(url_for("transfers.one", number=transfer.id), 303)
    if server is not None:
        return _on_its_way(transfer, server, len(people))
    link_keys.sent(transfer)
    recipients.settle(transfer, settings(), key)
    if people:
        count = len(people)
        notify(ngettext("Link sent to %(num)d person.", "Link sent to %(num)d people.", count))
    else:
        notify(_("The link is ready. Anyone who has it can download the files."))
    return redirect(url_for("transfers.one", number=transfer.id), 303)


def _on_its_way(transfer: Transfer, server: OtherServer, count: int) -> Response:
    if count:
        notify(ngettext("%(name)s writes to %(num)d person as soon as it has the files.",
                        "%(name)s writes to %(num)d people as soon as it has the files.", count, name=server.title))  # fmt: skip
    else:
        notify(_("The link is ready as soon as %(name)s has the files.", name=server.title))
    return redirect(url_for(f"{server.name}.of_transfer", number=transfer.id), 303)


def _mark_not_there(form: TransferForm, error: NotThereError, server: OtherServer | None) -> None:
    name = server.title if server is not None else ""
    if error.option == "password":
        form.errors["password"] = _("%(name)s asks for no password. Remove it.", name=name)
    elif error.option == "once":
        form.errors["files"] = _("%(name)s can’t limit downloads to one. Clear that option.", name=name)
    else:
        form.errors["files"] = _("Only the link would open these files, which %(name)s can’t do. Discard them and start again.",
                                 name=name)  # fmt: skip


def _other_server() -> OtherServer | None:
    """That gives out this person's files instead of us."""
    return other_server.for_user(current_user(), settings())


def _protections() -> list[Protection]:
    return protection.choices(settings()) if _other_server() is None else [Protection.SERVER]


def _transfer_of_address() -> Transfer | None:
    """The open transfer `of`; a page that leads to it where it was sent already; 404 for another's."""
    number = request.args.get("of", "")
    if not number:
        return None
    if not number.isdecimal() or len(number) > 18:
        abort(404)
    found = assembly.of_owner(int(number), current_user())
    if found is None:
        abort(404)
    if found.state != TransferState.OPEN or found.adds_to_id is not None:
        abort(redirect(url_for("transfers.one", number=found.id), 303))
    return found


def _mails(transfer: Transfer | None) -> bool:
    """Whether recipients can be mailed from here; not where only their sender's browser knows the whole link."""
    if _other_server() is not None:
        return transfer is None or not transfer.end_to_end
    return bool(settings().system_address) and not (transfer is not None and transfer.end_to_end)


def _is_on() -> None:
    if not settings().transfers.on:
        abort(404)


CHECK_TOKENS_THEMSELVES = (send,)

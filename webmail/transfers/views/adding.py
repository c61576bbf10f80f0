"""Adding files to a transfer that was sent: the same page and uploads as for a new one, whose files join it together.

The form's token stands in its address, since the body is not read before the view, as in `new`.
"""

from __future__ import annotations

from flask import abort, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webmail.models import ContentState, Transfer, TransferFile, TransferState
from webmail.transfers import additions, assembly, changes, links, protection, store
from webmail.transfers.additions import CannotAddError, Fault
from webmail.transfers.blueprint import blueprint
from webmail.transfers.limits import MB, OverLimitError
from webmail.transfers.notifications import recipients
from webmail.transfers.protection import NotProtectedError
from webmail.transfers.store import TransferClosedError
from webmail.transfers.texts import transfer_texts
from webmail.transfers.texts.file_texts import state_words
from webmail.transfers.texts.refusals import adding_words, refusal_words
from webmail.transfers.views import link_keys, new
from webmail.web.current import current_user, settings
from webmail.web.forms.address_token import address_token, check_address_token
from webmail.web.forms.body_limits import reads_its_body
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.templates.addresses import url_for

_FORM = "files to add"
_ROWS = 200  # of files, on the page
_LONGEST_LINK = 2000


def fault_words(fault: Fault) -> str:
    """Why nothing can be added, in a sentence."""
    if fault is Fault.PROTECTION:
        return _("Files can’t be added: new files must be better protected than this transfer. Send them as a new transfer.")
    if fault is Fault.NAMES:
        return _("Files can’t be added: it is impossible to tell whether a link is the one these files were encrypted with.")
    if fault is Fault.KEY:
        return _("This link does not open these files. Copy the whole link again.")
    if fault is Fault.MANY:
        return _("Files are being added in too many windows. Finish there, or discard them, then add more.")
    return _("This transfer has ended. Files can no longer be added to it.")


@blueprint.post("/transfers/<int:number>/additions")
def begin_adding(number: int) -> Response:
    """Begin to add; `link`: the whole link, where that alone holds the key and this session does not know it (any more)."""
    transfer = _mine(number)
    try:
        key = link_keys.load(transfer) or links.key_in(request.form.get("link", "")[:_LONGEST_LINK])
        addition = additions.begin(transfer, settings(), key)
    except (CannotAddError, OverLimitError) as error:
        words = fault_words(error.fault) if isinstance(error, CannotAddError) else refusal_words(error)
        notify(words, "caution")
        return redirect(url_for("transfers.one", number=number) + "#files", 303)
    if key is not None and transfer.key_check:
        link_keys.keep(addition, key)
    return redirect(url_for("transfers.adding", number=number, addition=addition.id), 303)


@blueprint.get("/transfers/<int:number>/additions/<int:addition>")
def adding(number: int, addition: int) -> Response:
    """The page; `check`: say what is wrong with the files. Eight SELECTs."""
    transfer = _mine(number)
    mine = _addition(transfer, addition)
    files = store.files(mine)
    fault = _fault(mine, files) if request.args.get("check") else ""
    return _adding_page(transfer, mine, files, fault)


def _adding_page(transfer: Transfer, mine: Transfer, files: list[TransferFile], fault: str) -> Response:
    people = changes.people(transfer)
    files.sort(key=assembly.is_whole)  # what can be gone on with comes first
    own = settings()
    return page(
        "transfers/adding.html", 422 if fault else 200, transfer=transfer, addition=mine, files=files[:_ROWS],
        more=len(files) - _ROWS, joins=mine.state == TransferState.JOINING, fault=fault, given=own.transfers,
        action=url_for("transfers.add_files", number=transfer.id, addition=mine.id, csrf=address_token(_FORM)),
        title=transfer_texts.title_of(transfer, store.files(transfer)), tells=additions.tells(mine),
        mails=bool(people) and _mails(transfer, mine), people=people, sealed_names=protection.sealed_names(transfer),
        most_bytes=own.transfers.transfer_mb * MB, is_whole=assembly.is_whole, words=adding_words(), state_words=state_words,
        texts=transfer_texts,
        key_here=link_keys.load(mine) is not None, protection=protection.protection_of(transfer),
    )  # fmt: skip


@blueprint.post("/transfers/<int:number>/additions/<int:addition>")
@reads_its_body
def add_files(number: int, addition: int) -> Response:
    """Take the files; `action`: send (let them join), save (to go on later), drop, or remove:<upload>. `tell`: recipients."""
    check_address_token(_FORM)
    transfer = _mine(number)
    mine = _addition(transfer, addition)
    taken = new.take_form(lambda: _open(mine))
    new.tell_taken(taken)
    values: MultiDict[str, str] = MultiDict(taken.fields)
    action = values.get("action", "")
    if action == "drop":
        store.close(mine, "owner")  # its files stay for a while, should that have been a mistake
        undo = (url_for("transfers.act_on_transfer", number=mine.id), {"action": "reopen"})
        notify(_("The new files were removed. Nothing was added."), undo=undo)
        return _to(transfer)
    if "shown" in values:
        additions.set_tells(mine, "tell" in values)
    if mine.end_to_end and values.get("sealed_names"):
        protection.set_sealed_names(mine, values["sealed_names"])
    if action.startswith("remove:"):
        return _remove(transfer, mine, action.removeprefix("remove:"))
    if action == "save":
        notify(_("Saved. You will find the files on the page of the transfer for three days after the last upload."))
        return _to(transfer)
    if action == "send" and taken.broken is None and not taken.refused and not _fault(mine, store.files(mine)):
        return _added(transfer, mine)
    check = "send" if action == "send" else None
    return redirect(url_for("transfers.adding", number=number, addition=addition, check=check), 303)


def _open(mine: Transfer) -> Transfer:
    """For each file of a form, which may come for hours. Raises TransferClosedError, NotProtectedError."""
    if mine.end_to_end:  # only the page's script encrypts
        raise NotProtectedError("files are to be encrypted before they are sent")
    if not assembly.is_open(mine):
        raise TransferClosedError(f"addition {mine.id} was closed or joined meanwhile")
    return mine


def _remove(transfer: Transfer, mine: Transfer, upload: str) -> Response:
    """A file that nobody saw; of those that wait to join it may have been the one that held the others back."""
    file = TransferFile.get_or_none((TransferFile.transfer == mine) & (TransferFile.upload == upload))
    if file is not None:
        store.remove_file(file, settings())
        notify(_("“%(name)s” was removed.", name=file.path.rpartition("/")[2]))
    if mine.state == TransferState.JOINING:
        return _added(transfer, mine) if store.files(mine) else _given_up(transfer, mine)
    return redirect(url_for("transfers.adding", number=transfer.id, addition=mine.id), 303)


def _given_up(transfer: Transfer, mine: Transfer) -> Response:
    assembly.drop(mine, settings())
    return _to(transfer)


def _fault(mine: Transfer, files: list[TransferFile]) -> str:
    """Why the files can't be added (yet); "" where they can."""
    key = link_keys.load(mine)
    if mine.key_check and key is None:
        return _("The key to these files was lost with the session in which you began. Discard them and start again.")
    if not files:
        return _("Choose at least one file.")
    if refused := next((file for file in files if file.content and file.content.state == ContentState.REFUSED), None):
        name = refused.path.rpartition("/")[2]
        return _("“%(name)s” was refused because it may be harmful. Remove it.", name=name)
    if unfinished := [file for file in files if not assembly.is_whole(file)]:
        name = unfinished[0].path.rpartition("/")[2]
        return _("“%(name)s” is incomplete. Choose the same file again, or remove it.", name=name)
    for file in files if key is not None else []:  # the worker can't check them
        assembly.settle(file, settings(), key)
        if file.content is None or file.content.state != ContentState.READY:
            name = file.path.rpartition("/")[2]
            return _("“%(name)s” could not be checked just now. Try again in a few minutes.", name=name)
    return ""


def _added(transfer: Transfer, mine: Transfer) -> Response:
    """Let them join: now, or once the worker has checked them."""
    count, key = len(store.files(mine)), link_keys.load(mine)
    try:
        asked = additions.submit(mine)
    except CannotAddError as error:
        notify(fault_words(error.fault), "caution")
        return _to(transfer)
    if not asked:
        return redirect(url_for("transfers.adding", number=transfer.id, addition=mine.id, check="send"), 303)
    if additions.settle(mine):
        recipients.settle(transfer, settings(), key)
        link_keys.forget(mine)
        notify(ngettext("%(num)d file was added.", "%(num)d files were added.", count))
    else:
        words = ngettext(
            "%(num)d file will be added once it has been checked.",
            "%(num)d files will be added once all have been checked.",
            count,
        )
        notify(words)
    return _to(transfer)


def _mails(transfer: Transfer, mine: Transfer) -> bool:
    """Whether recipients can be told by mail."""
    knows = not transfer.end_to_end and (not transfer.key_check or link_keys.load(mine) is not None)
    return bool(settings().system_address and settings().public_url) and knows


def _mine(number: int) -> Transfer:
    found = changes.of_owner(number, current_user()) if settings().transfers.on else None
    if found is None or found.adds_to_id is not None or found.request_id is not None:
        abort(404)
    return found


def _addition(transfer: Transfer, addition: int) -> Transfer:
    """One of its additions; the transfer's page where that is done, or nothing can be added any more."""
    found = additions.find(transfer, addition)
    if found is None or found.state == TransferState.CLOSED:
        abort(_to(transfer))
    if (fault := additions.fault(transfer, settings())) is not None:
        notify(fault_words(fault), "caution")
        abort(_to(transfer))
    return found


def _to(transfer: Transfer) -> Response:
    return redirect(url_for("transfers.one", number=transfer.id) + "#files", 303)


CHECK_TOKENS_THEMSELVES = (add_files,)

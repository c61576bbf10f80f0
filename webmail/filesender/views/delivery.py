"""The page of a transfer on its way to FileSender: how far it is, and a button to stop it."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.filesender import handover
from webmail.filesender.blueprint import blueprint
from webmail.filesender.filesender_texts import problem_words
from webmail.models import DeliveryState, FilesenderDelivery, TransferState
from webmail.transfers import assembly, store
from webmail.transfers.texts import transfer_texts
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, TaskText


def _mine(number: int) -> FilesenderDelivery:
    transfer = assembly.of_owner(number, current_user())
    found = handover.of_transfer(transfer) if transfer is not None else None
    return found if found is not None else abort(404)


@blueprint.get("/transfers/<int:number>/filesender")
def of_transfer(number: int) -> Response:
    """Four SELECTs. Once it is there, its page at FileSender; where it was not taken, the form again."""
    delivery = _mine(number)
    transfer = delivery.transfer
    if delivery.state == DeliveryState.SENT and transfer.state == TransferState.HANDED:
        return redirect(url_for("filesender.one", remote=delivery.remote), 303)
    if delivery.state != DeliveryState.WAITING or transfer.state != TransferState.HANDED:
        return redirect(url_for("transfers.one", number=number), 303)
    files = store.files(transfer)
    return page(
        "filesender/delivery.html", transfer=transfer, title=transfer_texts.title_of(transfer, files), files=files,
        percent=handover.percent(delivery), people=handover.addresses(delivery), begun=bool(delivery.task),
        in_message=bool(transfer.draft_id),
    )  # fmt: skip


@blueprint.post("/transfers/<int:number>/filesender")
def stop(number: int) -> Response:
    """`action`: cancel."""
    delivery = _mine(number)
    if request.form.get("action") != "cancel":
        abort(400)
    handover.cancel(delivery)
    if handover.is_wanted(delivery) or delivery.transfer.state == TransferState.HANDED:
        notify(_("Too late: FileSender has the files."), "caution")
        return redirect(url_for("filesender.of_transfer", number=number), 303)
    notify(_("Stopped: nothing was sent. Your files and what you typed are still here."))
    return redirect(url_for("transfers.new", of=number), 303)


TASK_TEXTS[handover.KIND] = TaskText(
    title=lambda _about: _("Bringing files to FileSender."),
    done=lambda _result: _("FileSender has the files."),
    failed=problem_words,
    link=lambda _result: (url_for("filesender.index"), _("Show transfers")),
    progress=lambda done, total: _("%(percent)d%% of the files are there.", percent=100 * done // total if total else 0),
)

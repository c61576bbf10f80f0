"""Data export page: a person has all that their account holds put into one file. A worker makes it; the texts in it are written
here."""

from __future__ import annotations

from dataclasses import asdict

from flask import redirect, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.accounts import data_export
from webmail.accounts.blueprint import blueprint
from webmail.auth.guard import asks_again
from webmail.errors import LimitReachedError, MailError
from webmail.models import AuditAct, now
from webmail.tasks import heartbeat, store
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user, settings, task_credential
from webmail.web.formatting import file_size, long_date, number
from webmail.web.formatting import lazy_text as _l
from webmail.web.notices import notify
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, row_of, task_started

_PATIENCE = 2.0  # seconds to wait for the size of the mail: the page can do without


@blueprint.get("/account/data")
def show_data() -> Response:
    latest = next((task for task in store.listing(current_user()) if task.kind == data_export.NAME), None)
    row = row_of(latest) if latest else None
    waits = bool(row and row.open) and heartbeat.tasks_are_left()
    used = None if row and row.open else _mail_size()  # told where it can be asked for; this page asks again while it is made
    return page("accounts/data.html", row=row, nobody_works=waits, used=used, days=store.KEPT.days)


@blueprint.post("/account/data")
@asks_again
def start_own_data() -> Response:
    """Have all that the account holds put into one file, with the mail if it is ticked. Pressed twice, it is made once."""
    about = {"mail": "mail" in request.form, "words": asdict(_export_texts())}
    try:
        credential = task_credential() if about["mail"] else None
        task = store.start(current_user(), data_export.NAME, about, alone=True, credential=credential)
        audited(AuditAct.OWN_DATA_ASKED, current_user().address)
        tell(current_user(), SecurityNotice.DATA_ASKED, once=task.id)
        task_started(task)
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(url_for("accounts.show_data"), 303)


def _mail_size() -> int | None:
    """How many bytes the mail has, where the server tells it soon."""
    try:
        with imap.connect(current_account(), patience=_PATIENCE) as connection:
            quota = imap.mailboxes.overview(connection).quota
    except MailError:
        return None
    return quota.used if quota else None


def _export_texts() -> data_export.ExportTexts:
    """In the language of the page: what stands in the file, and the mail that tells that it is ready."""
    user = current_user()
    told = {
        "mail/": _(
            "Your messages: a file for each folder, also for empty ones, in the mbox format. Most mail programs can import it. "
            "“Status” and “X-Status” before a message say whether it was read, answered or flagged."
        ),
        "contacts.vcf": _("Your contacts as vCards, which phones and mail programs import."),
        "account.json, settings.json": _("Your account and your settings."),
        "activity.json": _("What was done in your account, and when."),
        "*.json": _(
            "Everything else that is stored about you, one file for each kind: identities, signatures, drafts, sessions…"
        ),
    }
    files = "\n\n".join(f"{name}\n  {words}" for name, words in told.items())
    head = _(
        "The data of %(address)s at %(place)s, from %(when)s.", address=user.address, place=settings().name, when=long_date(now())
    )
    rest = _(
        "Passwords, keys and codes are left out. So is mail in folders that others share with you. "
        "Messages that arrived while the file was being made may be missing."
    )
    return data_export.ExportTexts(
        readme="\n\n".join([head, files, rest]),
        unread=_("These folders could not be read, and are missing here or incomplete:"),
        gone=_("Messages that were deleted or moved while the file was being made, and are missing here:"),
        subject=_("Your data is ready to download"),
        body=_letter(),
        language=str(get_locale()),
    )


def _letter() -> str:
    days = ngettext("It is kept for %(num)d day.", "It is kept for %(num)d days.", store.KEPT.days)
    return "\n\n".join(
        [
            _("The file with the data of %(address)s is ready.", address=current_user().address) + " " + days,
            public_link("accounts.show_data") or settings().name,
            _("If you did not ask for it, change your password immediately."),
        ]
    )


def _done(result: Facts) -> str:
    told = _(
        "Ready to download (%(size)s). The file is kept for %(days)d days.",
        size=file_size(result.get("size", 0)),
        days=store.KEPT.days,
    )
    if unread := result.get("unread"):
        told += " " + ngettext(
            "%(num)d folder could not be read: README.txt in the file names it.",
            "%(num)d folders could not be read: README.txt in the file names them.",
            unread,
        )
    return told


def _progress(done: int, total: int) -> str:
    return ngettext(
        "%(done)s of %(total)s message.", "%(done)s of %(total)s messages.", total, done=number(done), total=number(total)
    )


def _failed(reason: str) -> str:
    if reason == "sign-in":
        return _("The mail server no longer accepts your sign-in. Sign in again, then start over.")
    return ""


TASK_TEXTS[data_export.NAME] = TaskText(
    title=lambda _about: _("Exporting your data."),
    done=_done,
    failed=_failed,
    file=_l("Download"),
    progress=_progress,
    stopped=_l("Stopped. Nothing was kept."),
)

"""Changes: polling for new mail since a list was loaded; grouping by conversation; the keyboard shortcuts page."""

from __future__ import annotations

from flask import abort, g, redirect, request, url_for
from werkzeug.wrappers import Response

from webmail import imap
from webmail import preferences as preferred
from webmail.auth.guard import asked_by_pages
from webmail.imap.mailbox_list.new_mail import MailboxState
from webmail.mailbox.blueprint import blueprint
from webmail.web.current import current_account, current_user, preferences, remember_overview
from webmail.web.forms.request_values import local_path
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.frame.side_bar import shown_since
from webmail.web.rendering import fragment, page


@blueprint.get("/news/<path:mailbox>")
@asked_by_pages
def news(mailbox: str) -> Response:
    """A notice if the mailbox changed since `state`, that of the page, or since `last`, that of the previous response; with the
    folders, if they are not what is shown. The folders alone if only they were counted anew; else 204.

    1 STATUS, and the folders' counts if there are changes.
    """
    shown, last = MailboxState.read(request.args.get("state", "")), request.args.get("last")
    if shown is None:
        abort(400)
    with imap.connect(current_account(), mailbox) as connection:
        now = imap.new_mail.state_of(connection, mailbox)
        if str(now) == (last or str(shown)):
            return _recounted(mailbox, now)
        imap.mailboxes.forget(connection.account, sizes=False)
        remember_overview(imap.mailboxes.overview(connection))
    return fragment("mailbox/_news.html", mailbox=mailbox, now=now, came=now.new_since(shown))


def _recounted(mailbox: str, now: MailboxState) -> Response:
    """The folders, if they were counted since those that are shown and are other now: no round trip."""
    account = current_account()
    kept, listed = imap.mailboxes.cached(account), imap.mailboxes.listed(account)
    if kept is None or not 0 < shown_since() < listed:
        return Response(status=204)
    g.overview, g.folders_listed = kept.found.counted({mailbox: (now.messages, now.unseen)}), listed
    answer = fragment("_folders.html", news=True)
    return answer if answer.data.strip() else Response(status=204)


@blueprint.post("/conversations/<path:mailbox>")
def group(mailbox: str) -> Response:
    """Switch this folder between conversations and single messages; other folders are not affected."""
    return _group(mailbox, request.form.get("grouped", ""))


def _group(mailbox: str, grouped: str) -> Response:
    chosen = preferences()
    if chosen.in_conversations(mailbox) != bool(grouped):
        others = tuple(name for name in chosen.conversation_folders if name != mailbox)
        excepted = others if mailbox in chosen.conversation_folders else (mailbox, *others)
        preferred.change(current_user(), conversation_folders=excepted)
    back = local_path(request.form.get("back", ""))
    return redirect(back.partition("?")[0] or url_for("mailbox.show", mailbox=mailbox), 303)


LIST_BUTTONS["group"] = _group


@blueprint.get("/help/keys")
def keys() -> Response:
    return page("mailbox/keys.html")

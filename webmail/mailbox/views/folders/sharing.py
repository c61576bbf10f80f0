"""Sharing: gives and revokes other users' rights in a folder (ACL), from the forms on its page."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import NotAllowedError, RefusedError, UnsafeValueError
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox
from webmail.mailbox import sharing
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.sharing import NotSharedError, ShareWarning
from webmail.mailbox.views.folders.folder import called, looked_up, one_folder, sharable
from webmail.models import AuditAct
from webmail.rights import Rights
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user, settings
from webmail.web.notices import notify, undone


@blueprint.post("/share/<path:mailbox>")
def share(mailbox: str) -> Response:
    """Grant rights in a folder ("give"), revoke them ("revoke"), or undo that ("restore")."""
    action = request.form.get("action", "")
    with imap.connect(current_account()) as connection:
        found, here = looked_up(connection, mailbox)
        if not sharable(connection, here):
            raise NotAllowedError(f"{mailbox} is not this person's to share")
        try:
            if action == "give":
                _give(connection, found, here)
            elif action == "revoke":
                _revoke(connection, found, here)
            elif action == "restore":
                _restore(connection, found, here)
            else:
                raise UnsafeValueError("not an action")
        except NotSharedError as error:
            return one_folder(connection, mailbox, 422, share_error=_doubt(error.doubt))
        except RefusedError:
            refused = _("This folder can’t be shared with them. Check what you typed.")
            return one_folder(connection, mailbox, 422, share_error=refused)
    imap.mailboxes.forget(current_account())
    return redirect(url_for("mailbox.folder", mailbox=mailbox, _anchor="sharing"), 303)


def _give(connection: Connection, found: Overview, here: Mailbox) -> None:
    form = request.form
    who = _asked_for()
    _not_oneself(who, here)
    level = form.get("level", "read")
    if level not in imap.acl.LEVELS:
        raise UnsafeValueError("not a level")
    before = any(entry.identifier == who for entry in imap.acl.entries(connection, here.name))
    concerned = _concerned(found, here)
    imap.acl.grant(connection, concerned, who, imap.acl.LEVELS[level])
    _audited(AuditAct.SHARE_CHANGED if before else AuditAct.SHARE_GIVEN, who, concerned, level=level)
    for address in sharing.people_of(who, current_user(), settings()):
        imap.close_all_of(address)  # servers may detect newly shared folders only when a connection is opened
    name = called(who)
    told = {
        "read": _("%(who)s can read this folder.", who=name),
        "write": _("%(who)s can read and edit this folder.", who=name),
        "manage": _("%(who)s can manage this folder.", who=name),
    }[level]
    notify(told + " " + _("They will see it under “Shared with me” within ten minutes."))


def _asked_for() -> str:
    """The server's identifier for whom the form names. Raises NotSharedError, UnsafeValueError."""
    typed, kind, chosen = (request.form.get(name, "") for name in ("who", "kind", "group"))
    if kind == "everyone":
        return _everyone()
    if kind not in ("group", "person", ""):
        raise UnsafeValueError("nobody to share with")
    if kind == "group" or (chosen and not typed.strip()):
        return sharing.meant_group(typed, chosen, current_user(), settings())
    return sharing.person(typed, current_user(), settings())


def _everyone() -> str:
    """Raises NotSharedError on servers where there is no group of everyone."""
    if who := sharing.everyone(current_user(), settings()):
        return who
    raise NotSharedError(ShareWarning.ODD)


def _revoke(connection: Connection, found: Overview, here: Mailbox) -> None:
    who = request.form.get("who", "")
    _not_oneself(who, here)
    before = {entry.identifier: entry.rights.letters for entry in imap.acl.entries(connection, here.name)}
    if who not in before:  # an existing entry is accepted as it is: its account may no longer exist
        who = _identifier(who)
        _not_oneself(who, here)
    concerned = _concerned(found, here)
    imap.acl.revoke(connection, concerned, who)
    if who in before or len(concerned) > 1:
        _audited(AuditAct.SHARE_REVOKED, who, concerned)
    fields: dict[str, Any] = {"action": "restore", "who": who, "rights": before.get(who, "")}
    if request.form.get("inside"):
        fields["inside"] = "1"
    back = before.get(who) and not _is_gone(who)
    undo = (url_for("mailbox.share", mailbox=here.name), fields) if back else None
    notify(_("%(who)s can no longer see this folder.", who=called(who)), undo=undo)


def _restore(connection: Connection, found: Overview, here: Mailbox) -> None:
    who = _identifier(request.form.get("who", ""))
    _not_oneself(who, here)
    letters, concerned = request.form.get("rights", ""), _concerned(found, here)
    imap.acl.grant(connection, concerned, who, letters)
    level = imap.acl.Entry(who, Rights(letters)).level or "other"
    _audited(AuditAct.SHARE_GIVEN, who, concerned, level=level, undo=True)
    undone(_("%(who)s can see this folder again.", who=called(who)))


def _identifier(text: str) -> str:
    """The server's identifier for a user or, with the group prefix, a group. Raises NotSharedError."""
    prefix = settings().group_prefix
    if text and text == sharing.everyone(current_user(), settings()):
        return text
    if sharing.is_group(text, current_user(), settings()):
        return sharing.chosen_group(text, current_user(), settings())
    if prefix and text.startswith(prefix):
        return sharing.group(text.removeprefix(prefix), current_user(), settings())
    return sharing.person(text, current_user(), settings())


def _is_gone(who: str) -> bool:
    """Whether this is a group that was deleted: its rights can be revoked, but not given again."""
    ours = sharing.is_group(who, current_user(), settings())
    return ours and who not in sharing.groups(current_user(), settings())


def _audited(act: AuditAct, who: str, concerned: list[str], level: str | None = None, undo: bool | None = None) -> None:
    audited(act, who, folder=concerned[0], inside=len(concerned) - 1 or None, level=level, undo=undo)


def _concerned(found: Overview, here: Mailbox) -> list[str]:
    """This folder, and its subfolders if requested."""
    inside = [m.name for m in found.mailboxes if here.holds(m.name) and m.selectable] if request.form.get("inside") else []
    return [here.name, *inside]


def _not_oneself(who: str, here: Mailbox) -> None:
    """Raises NotSharedError for the user's own or the owner's rights, in any spelling: servers ignore case and add the domain."""
    word = who.strip().lower()
    address = word if "@" in word else f"{word}@{current_user().domain}"
    fixed = {name.lower() for name in (current_account().credential.username, here.owner) if name}
    if word == "owner" or fixed & {word, address, settings().username(address)}:  # RFC 4314 section 3
        raise NotSharedError(ShareWarning.ONESELF)


def _doubt(doubt: ShareWarning) -> str:
    return {
        ShareWarning.EMPTY: _("Type the address of a person."),
        ShareWarning.UNKNOWN: _("Nobody in your organisation has this address. Check the spelling."),
        ShareWarning.ONESELF: _("You can’t change your own access or the owner’s."),
        ShareWarning.NO_GROUP: _("Choose a group."),
        ShareWarning.GROUP_GONE: _("This group no longer exists. Choose another."),
        ShareWarning.TWO: _("You typed a name and chose a different group. Clear one of them."),
        ShareWarning.ODD: _("This isn’t a person’s address. Type a full address, such as name@example.org."),
    }[doubt]

"""Script texts: translated strings for the compose form's scripts (static/js/compose/), which contain none."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.compose.blueprint import blueprint
from webmail.web.current import settings
from webmail.web.formatting import file_size


@blueprint.app_template_global()
def editor_words() -> dict[str, str]:
    """Strings of the rich-text editor (static/js/compose/editor.js): its tools, and why it does not open."""
    return {
        "way": _("Editing mode"),
        "editor": _("Editor"),
        "text": _("Text"),
        "tools": _("Formatting"),
        "bold": _("Bold"),
        "italic": _("Italic"),
        "heading": _("Heading"),
        "bullets": _("Bulleted list"),
        "numbers": _("Numbered list"),
        "quote": _("Quote"),
        "table": _("Table"),
        "row": _("Row below"),
        "column": _("Column after"),
        "dropRow": _("Delete row"),
        "dropColumn": _("Delete column"),
        "dropTable": _("Delete table"),
        "plain": _("Paste as plain text"),
        "link": _("Link"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "address": _("Address"),
        "set": _("Apply"),
        "remove": _("Remove link"),
        "cancel": _("Cancel"),
        "ctrl": _("Ctrl"),
        "raw": _("Shown as Markdown"),
        "long": _("This text is too long to format. It will be sent as you typed it."),
        "other": _("The editor can’t show this text exactly, so it stays as you typed it."),
        "unsure": _("Part of this text may look different to recipients. Check the preview."),
        "absent": _("The editor does not work in this browser."),
    }


@blueprint.app_template_global()
def chip_words() -> dict[str, str]:
    """Strings of static/js/compose/chips.js about recipients."""
    return {
        "list": _("Recipients: %(field)s", field="{field}"),
        "remove": _("Remove %(name)s", name="{name}"),
        "bad": _("not an email address"),
        "more": _("+%(count)s", count="{count}"),
        "all": _("Show all recipients"),
        "added": _("%(name)s was added.", name="{name}"),
        "removed": _("%(name)s was removed.", name="{name}"),
        "keys": _("Press Backspace to go to the previous recipients, Delete to remove one, Enter to edit it."),
    }


@blueprint.app_template_global()
def attach_words(*, links: bool) -> dict[str, str]:
    """Strings of static/js/compose/attach.js about uploads. `links`: whether files can go as links."""
    return {
        "large": _large(links),
        "folder": _("“%(name)s” is a folder. Choose the files inside it.", name="{name}"),
        "failed": _("“%(name)s” was not attached: the server refused it.", name="{name}"),
        "here": _("“%(name)s” is attached.", name="{name}"),
        "linked": _("“%(name)s” will be sent as a link.", name="{name}"),
        "sending": _("Uploading “%(name)s”", name="{name}"),
        "cancel": _("Cancel"),
        "cancelThis": _("Cancel “%(name)s”", name="{name}"),
        "cancelled": _("“%(name)s” was not attached.", name="{name}"),
        "again": _("Try again"),
        "hide": _("Hide"),
        "drop": _("Drop files here to attach them"),
        "wait": _("Files are still uploading. Wait for them to finish, or cancel them."),
    }  # fmt: skip


def _large(links: bool) -> str:
    told = {"name": "{name}", "size": "{size}"}
    limit = settings().message_limit
    if links:
        limit = limit * 73 // 100  # as the form says how much fits
        return _("too large to attach (%(size)s of %(limit)s), so it will be sent as a link", limit=file_size(limit), **told)
    return _(
        "“%(name)s” (%(size)s) is too large. Messages are limited to %(limit)s, and files grow by a third when sent.",
        limit=file_size(limit), **told,
    )  # fmt: skip

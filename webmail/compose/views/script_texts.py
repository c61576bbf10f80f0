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
        "way": _("Write in"),
        "editor": _("Editor"),
        "text": _("Text"),
        "tools": _("Formatting"),
        "bold": _("Bold"),
        "italic": _("Italic"),
        "heading": _("Heading"),
        "bullets": _("Bulleted list"),
        "numbers": _("Numbered list"),
        "quote": _("Quotation"),
        "link": _("Link"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "address": _("Address"),
        "set": _("Set the link"),
        "remove": _("Remove the link"),
        "cancel": _("Cancel"),
        "ctrl": _("Ctrl"),
        "raw": _("As it is written in Markdown"),
        "long": _("This text is too long to be formatted: it is sent as it is written."),
        "other": _("The editor can't keep this text exactly: it stays as it is written."),
        "unsure": _("Part of this text may look otherwise to its readers: see the preview."),
        "absent": _("The editor does not work in this browser."),
    }


@blueprint.app_template_global()
def chip_words() -> dict[str, str]:
    """Strings of static/js/compose/chips.js about recipients."""
    return {
        "list": _("Recipients: %(field)s", field="{field}"),
        "remove": _("Remove %(name)s", name="{name}"),
        "bad": _("not an e-mail address"),
        "more": _("+%(count)s", count="{count}"),
        "all": _("Show all recipients"),
        "added": _("%(name)s was added.", name="{name}"),
        "removed": _("%(name)s was removed.", name="{name}"),
        "keys": _("Backspace goes to the recipients before; Delete removes one, Enter changes it."),
    }


@blueprint.app_template_global()
def attach_words() -> dict[str, str]:
    """Strings of static/js/compose/attach.js about uploads."""
    limit = file_size(settings().message_limit)
    return {
        "large": _(
            "“%(name)s” (%(size)s) was not attached: a message may have %(limit)s in all, and files take a third more.",
            name="{name}", size="{size}", limit=limit,
        ),
        "folder": _("“%(name)s” is a folder: choose the files in it.", name="{name}"),
        "failed": _("“%(name)s” was not attached: the server did not take it.", name="{name}"),
        "here": _("“%(name)s” is attached.", name="{name}"),
        "sending": _("Sending “%(name)s”", name="{name}"),
        "cancel": _("Cancel"),
        "cancelThis": _("Do not attach “%(name)s”", name="{name}"),
        "cancelled": _("“%(name)s” was not attached.", name="{name}"),
        "again": _("Try again"),
        "hide": _("Hide"),
        "drop": _("Drop files here to attach them"),
        "wait": _("Files are still on their way. Wait for them, or cancel them."),
    }  # fmt: skip

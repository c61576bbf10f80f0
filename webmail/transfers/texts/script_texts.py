"""Texts of the script that opens files which the sender's browser encrypted; {...} is filled in there."""

from __future__ import annotations

from flask_babel import gettext as _


def sealed_words() -> dict[str, str]:
    """By what happens, or what is wrong (static/js/transfers/open.js)."""
    return {
        "progress": _("Decrypting… {percent}%"),
        "saved": _("Saved as “{name}”"),
        "download": _("Download {name}"),
        "listed": _("Decrypted: “{name}” is among your browser’s downloads."),
        "cancelled": _("The download was cancelled, so nothing was kept."),
        "lost": _(
            "Your browser ended the download too early. “{name}” is incomplete: delete it from your downloads and try again."
        ),
        "none": _("Choose at least one file."),
        "of": _("“{name}”: {why}"),
        "large": _(
            "This window can’t save that much while decrypting it. Use an up-to-date browser outside private "
            "browsing, or the program below."
        ),
        "away": _("The file arrived incomplete, so it was not kept. Try again."),
        "bytes": _("The file was changed or cut off during the download, so it was not kept. Try again."),
        "key": _("This link does not open the file. Copy the whole link again."),
        "other": _("The server sent a different file, so it was not kept. Tell the person who sent the files."),
        "called": _("Its sender called it “{name}”."),
        "form": _("This is not a file that was encrypted here, so it was not kept."),
    }

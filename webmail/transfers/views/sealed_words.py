"""Words of the script that opens files which the sender's browser encrypted; {...} is filled in there."""

from __future__ import annotations

from flask_babel import gettext as _


def sealed_words() -> dict[str, str]:
    """By what happens, or what is wrong (static/js/transfers/open.js)."""
    return {
        "progress": _("Decrypting… {percent}%"),
        "saved": _("Saved as “{name}”"),
        "download": _("Download {name}"),
        "large": _("This browser can’t save so large a file while decrypting it. Use Chrome or Edge, or the program below."),
        "away": _("The file did not arrive whole, so it was not kept. Try again."),
        "bytes": _("The file was changed or cut off on the way, so it was not kept. Try again."),
        "key": _("This link does not open the file. Copy the whole link again."),
        "form": _("This is not a file that was encrypted here, so it was not kept."),
    }

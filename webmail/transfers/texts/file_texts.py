"""Texts about a file of a transfer: how far it has come, and what the scanner says."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.models import ContentState, TransferFile


def state_words(file: TransferFile) -> str:
    """Why a file can't be downloaded (yet); "" where it can."""
    content = file.content
    if content is None or content.state == ContentState.DELETED:
        return _("Removed")
    if content.state == ContentState.REFUSED:
        return _("Withheld: it may be harmful")
    if content.state == ContentState.UPLOADING:
        percent = content.received * 100 // max(1, content.size)
        return _("Still uploading (%(percent)s%%)", percent=percent)
    return _("Being checked") if content.state == ContentState.CHECKING else ""


def scan_words(file: TransferFile) -> str:
    """What the scanner says of a file that is there."""
    content = file.content
    if content is not None and content.scan == "clean":
        return _("Scanned for viruses: none found")
    if content is not None and content.scan == "skipped":
        return _unscanned_words(content.finding)
    return _("Not scanned for viruses")


def _unscanned_words(reason: str) -> str:
    """Why the scanner did not look (`Unscanned`), where that helps."""
    if reason == "large":
        return _("Not scanned for viruses: too large")
    if reason == "locked":
        return _("Not scanned for viruses: locked with a password")
    if reason == "sealed":
        return _("Not scanned for viruses: encrypted")
    return _("Not scanned for viruses")

"""Page parts of drives: what templates of other areas call."""

from __future__ import annotations

from flask import Flask

from webmail.drives import open_drives
from webmail.late_calls import late_call
from webmail.models import ConnectedService
from webmail.web.current import current_user, settings
from webmail.web.frame.page_rows import PageRow, add_rows, page_rows

add_rows(
    "drives", ConnectedService, (ConnectedService.id, ConnectedService.title, ConnectedService.provider),
    lambda slot: ConnectedService.user == slot("user"), group="files",
)  # fmt: skip


def install(app: Flask) -> None:
    words = app.jinja_env.globals
    words["drives_are_offered"] = drives_are_offered
    words["connected_drives"] = connected_drives
    words["drive_fault_words"] = late_call("webmail.drives.drive_texts:fault_words")
    words["drive_right_words"] = late_call("webmail.drives.drive_texts:right_words")


def drives_are_offered() -> bool:
    """Whether the person may connect one. 0 queries."""
    return open_drives.are_offered(current_user(), settings())


def connected_drives() -> list[PageRow]:
    """`number`, and the title as `text`; none where nothing is offered. No query of its own."""
    usable = open_drives.usable(current_user(), settings())
    return sorted(one for one in page_rows("drives") if one.text2 in usable) if usable else []

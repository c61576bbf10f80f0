"""Large files of a message, on its form: how many questions to the database they take."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.support import calendar_ground as ground
from tests.support.transfer_ground import put_file
from webmail.compose.drafts import drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.large_files import large_changes
from webmail.compose.views.attachments.large_files import linked_files
from webmail.models import User


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """The SQL statements sent since the fixture began."""
    sent: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: sent.append(str(record.msg))  # type: ignore[method-assign]
    logger, level = logging.getLogger("peewee"), logging.getLogger("peewee").level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield sent
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_they_take_as_many_however_many_files_there_are(tmp_path, queries):
    with ground.application(tmp_path / "instance", public_url="https://mail.lycee.example") as app, app.test_request_context():
        settings = app.extensions["settings"]
        ground.add("alice@lycee.example")
        row = drafts.new(User.get(User.local == "alice"), Fields())
        transfer, counts = large_changes.begun(row, settings), []
        for count in range(3):
            put_file(transfer, f"{count}.txt", b"a", settings)
            queries.clear()
            shown = linked_files(row)
            counts.append(len(queries))
        assert [file.fits for file in shown.files] == [True] * 3
        assert counts[0] == counts[2]

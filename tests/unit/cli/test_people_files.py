"""Files of people at the command line: shown, then left to the worker; and written out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.task_work import work_all
from webmail.models import User


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", recovery_address="off", language="en") as made:
        ground.add("root@lycee.example")
        User.update(role="admin").execute()
        yield made


def test_a_file_is_shown_and_then_imported_by_the_worker(app, tmp_path):
    file = tmp_path / "new.csv"
    file.write_text("Name;Email\nEva;eva@lycee.example\nZoé;zoe@gmail.example\n")
    done = app.test_cli_runner().invoke(args=["accounts", "import", str(file), "--as", "root"])
    assert done.exception is None, done.exception
    said = done.output
    assert "2\tcreated\teva@lycee.example\n3\trefused\tzoe@gmail.example\tdomain gmail.example\n1 created, 1 refused" in said
    assert User.select().count() == 1
    said = app.test_cli_runner().invoke(args=["accounts", "import", str(file), "--as", "root", "--apply"]).output
    assert "started" in said
    work_all(app)
    assert User.select().count() == 2
    assert "eva@lycee.example,Eva" in app.test_cli_runner().invoke(args=["accounts", "export"]).output
    assert app.test_cli_runner().invoke(args=["accounts", "import", str(file), "--as", "eva"]).exit_code == 1

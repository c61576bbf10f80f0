"""Moving the database as the administrator types it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.postgresql import database_without_tables, server_url
from tests.unit.cli.test_main import database, run, settings  # noqa: F401 - fixtures
from webmail.database.connection import db, open_database
from webmail.models import User, now
from webmail.tasks import heartbeat


def test_a_worker_that_is_at_work_has_to_be_stopped_first(run):  # noqa: F811
    heartbeat.beat("w", now())
    code, said = run("move sqlite-to-postgresql postgresql:///x")
    assert (code, "stop the services first" in said) == (1, True)
    heartbeat.gone("w")
    code, said = run("move sqlite-to-postgresql postgresql:///x?host=/nowhere")
    assert (code, said.startswith("Error: nothing was moved: ")) == (1, True)


def test_what_is_there_already_is_said(run, tmp_path):  # noqa: F811
    assert "a file of SQLite already" in run(f"move postgresql-to-sqlite {tmp_path}/y.sqlite")[1]
    assert run("move sqlite-to-postgresql /tmp/x.sqlite")[1].startswith("Error: nothing was moved: '/tmp/x.sqlite' is no address")


@pytest.mark.postgresql
def test_it_goes_there_and_back(run, tmp_path):  # noqa: F811
    if not server_url():
        pytest.skip("no PostgreSQL server")
    run("accounts add alice --no-password")
    with database_without_tables() as url:
        code, said = run(f"move sqlite-to-postgresql '{url}'")
        assert (code, "  accounts: 1\n" in said, f'now set database_url = "{url}"' in said) == (0, True, True)
        assert User.get().address == "alice@lycee.example"  # what was open is open
        before = open_database(url)
        assert (
            run(f"move postgresql-to-sqlite {tmp_path}/nowhere/y.sqlite")[1] == f"Error: there is no folder {tmp_path}/nowhere\n"
        )
        code, said = run(f"move postgresql-to-sqlite {tmp_path}/y.sqlite")
        assert (code, "the same on both sides, counted and compared" in said) == (0, True)
        assert "in PostgreSQL already" in run("move sqlite-to-postgresql postgresql:///x")[1]
        before.close()
        open_database(f"sqlite:///{tmp_path}/y.sqlite")
        assert User.get().address == "alice@lycee.example"
        assert User.get().created > now() - timedelta(hours=1)
        db.obj.close()

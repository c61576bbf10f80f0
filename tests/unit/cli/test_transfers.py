"""`flask transfers`: what administrators see and do about large files, without names or links."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.transfer_ground import published
from webmail.config.settings import Settings
from webmail.models import (
    AuditAct,
    AuditEntry,
    StoredContent,
    SystemMessage,
    Transfer,
    TransferAllowance,
    TransferRecipient,
    TransferReport,
    User,
    now,
)  # fmt: skip
from webmail.transfers import store
from webmail.transfers.public import reports

MAIL = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example"}


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en", **MAIL) as made:
        ground.add("alice@lycee.example")
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def transfer(settings: Settings) -> Transfer:
    return published(User.get(), {"secret-name.txt": b"x" * 5000}, settings, recipients=[("", "zoe@ailleurs.example")])


def run(app: Flask, words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["transfers", *shlex.split(words)])
    return result.exit_code, result.output


def test_they_are_listed_and_summed_without_names_or_links(app, transfer, settings):
    token = store.link_token(transfer, settings)
    listed, shown, totals = (run(app, words)[1] for words in ("list", f"show {transfer.id}", "totals"))
    assert listed.split("\t")[:4] == ["1", "alice@lycee.example", "5000", "1"]
    assert "published" in shown and "people\t1\n" in totals and "stored\t5000\n" in totals
    assert not any(word in listed + shown + totals for word in ("secret-name", token))
    assert run(app, "list alice")[1] == listed and run(app, "list --closed")[1] == "" and run(app, "show 9")[0] == 1


def test_one_is_closed_with_a_reason_that_its_owner_reads(app, transfer):
    TransferReport.create(transfer=transfer, reason="other")
    assert run(app, "close 1")[0] == 2 and len(reports.waiting()) == 1
    assert run(app, "close 1 --reason 'Not ours'") == (0, "1: closed\n")
    assert reports.waiting() == [] and TransferReport.get().settled_by == "administrator"
    assert StoredContent.select().count() == 0 and run(app, "close 1 --reason again")[0] == 1
    assert SystemMessage.select().where(SystemMessage.recipient == "alice@lycee.example").count() == 1
    entry = AuditEntry.get(AuditEntry.act == AuditAct.TRANSFER_CLOSED)
    assert entry.target == "alice@lycee.example" and "Not ours" in entry.details


def test_a_person_has_a_limit_of_their_own(app, transfer):
    assert run(app, "limit alice")[1] == "alice@lycee.example\t5000 bytes used\t50G\n"
    assert run(app, "limit alice 5G")[1].endswith("\t5G\n") and TransferAllowance.get().limit_bytes == 5 * 1024**3
    assert run(app, "limit alice 0")[1].endswith("\tno limit\n")
    assert run(app, "limit alice usual")[1].endswith("\t50G\n") and not TransferAllowance.select()
    assert run(app, "limit alice much")[0] == 1
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.TRANSFER_LIMIT_SET).count() == 3


def test_a_sweep_says_in_a_sentence_that_the_folder_is_not_there(app, transfer, settings):
    shutil.rmtree(settings.transfers_folder)
    code, said = run(app, "sweep")
    assert code == 1 and said.startswith("Error: 0 transfers deleted; their files can't be reached") and "Traceback" not in said


def test_what_is_past_its_date_goes(app, transfer):
    Transfer.update(expires=now() - timedelta(minutes=1)).execute()
    assert run(app, "sweep") == (0, "1 transfers deleted, 0 stray pieces\n")
    assert Transfer.get().files_gone == 1 and run(app, "sweep")[1].startswith("0 transfers")


def test_files_of_this_machine_are_sent_as_somebody(app, settings, tmp_path):
    (tmp_path / "Bulletins.pdf").write_bytes(b"%PDF")
    words = f"send {tmp_path / 'Bulletins.pdf'} --from alice@lycee.example --to zoe@ailleurs.example --subject Bulletins --days 5"
    code, told = run(app, words)
    assert code == 0, told
    number, link = told.strip().split("\t")
    sent = Transfer.get_by_id(int(number))
    assert (sent.owner.address, sent.subject, sent.state) == ("alice@lycee.example", "Bulletins", "ready")
    assert (
        link.startswith("https://mail.lycee.example/t/")
        and app.test_client().get(link.removeprefix("https://mail.lycee.example")).status_code == 200
    )
    assert TransferRecipient.get().address == "zoe@ailleurs.example"
    assert AuditEntry.get(AuditEntry.act == AuditAct.TRANSFER_SENT).target == "alice@lycee.example"


def test_what_can_not_be_sent_leaves_nothing(app, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a")
    for words in (
        f"send {tmp_path / 'a.txt'} --from alice --to nobody",
        f"send {tmp_path / 'a.txt'} --from nobody@lycee.example",
    ):
        code, told = run(app, words)
        assert code == 1 and told.startswith("Error:"), told
    assert not Transfer.select().exists()

"""The doctor looks at Dovecot's full-text index: made before French elisions were known, or with stems taken before accents; and anew."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from deploy.demo.accounts import DOMAIN
from deploy.demo.services import Services
from deploy.dovecot import render
from tests.support.messages import message
from tests.support.waiting import eventually
from webmail.doctor.mail_servers import index
from webmail.doctor.result import OK, WARNING, CheckResult

ADDRESS = f"claire@{DOMAIN}"
_configuration = render.configuration
NOW = "lowercase contractions normalizer-icu snowball"


def older(values: render.Values) -> str:
    """The configuration as it was before it knew elisions."""
    text = _configuration(values)
    return text.replace("language_tokenizer_generic_wb5a = yes\n", "").replace(NOW, "lowercase snowball normalizer-icu")


def signed_in(services: Services) -> IMAPClient:
    client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10)
    client.login(ADDRESS, services.password)
    return client


def told(services: Services) -> CheckResult:
    """What a new connection finds: Dovecot reads its configuration as one begins."""
    client = signed_in(services)
    try:
        return index.check_words(client, ADDRESS)
    finally:
        client.shutdown()


def doveadm(services: Services, *words: str) -> None:
    command = ["/usr/bin/doveadm", "-c", str(services.base / "etc" / "dovecot.conf"), *words]
    subprocess.run([*services.owner.prefix, *command], check=True, capture_output=True, cwd=services.base)


def test_an_index_of_an_older_configuration_is_told_and_mended(demo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "configuration", older)
    with Services(demo_folder, web=False) as services:
        services.add_account(ADDRESS, "Claire")
        client = signed_in(services)
        client.append("INBOX", bytes(message("Budget")))
        empty = index.check_words(client, ADDRESS)
        assert empty.state == OK and "may be older" in empty.words and f"-u {ADDRESS}" in empty.words
        for subject in ("Réunion de l’équipe", "Bilan de l’équipe", "Cahier de rentrée"):
            client.append("INBOX", bytes(message(subject)))
        doveadm(services, "index", "-u", ADDRESS, "*")
        monkeypatch.setattr(render, "configuration", _configuration)
        configuration = services.base / "etc" / "dovecot.conf"
        configuration.write_text(new_configuration(configuration))
        doveadm(services, "reload")

        def told_old() -> bool:
            try:
                return told(services).state == WARNING
            except (OSError, IMAPClientError):  # while Dovecot takes up its configuration
                return False

        eventually(told_old, step=0.2, what="the new configuration")
        check = told(services)
        assert "in 3 of 3 messages tested: an older configuration made it" in check.words
        assert f"doveadm fts flatcurve remove -u {ADDRESS}" in check.words
        client = signed_in(services)
        client.append("INBOX", bytes(message("Arrivée de l'équipe")))
        assert "in 3 of 4 messages" in told(services).words
        doveadm(services, "fts", "flatcurve", "remove", "-u", ADDRESS, "*")
        doveadm(services, "fts", "rescan", "-u", ADDRESS)
        doveadm(services, "index", "-u", ADDRESS, "*")
        assert told(services) == CheckResult(
            "IMAP index", OK, "finds words after an elision and without accents (4 messages tested)."
        )


def new_configuration(file: Path) -> str:
    """That file with the lines that it lacks."""
    tokenizer = "language_tokenizer_generic_algorithm = tr29\n"
    text = file.read_text().replace(tokenizer, f"{tokenizer}language_tokenizer_generic_wb5a = yes\n")
    return text.replace("lowercase snowball normalizer-icu", NOW)

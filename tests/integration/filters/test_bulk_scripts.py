"""Sieve scripts in bulk from an old Dovecot: as they are, once, the active one active, and what this server does not take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.old_server import MASTER, MASTER_PASSWORD, OldServices
from tests.support.passing_folder import passing_folder
from webmail import create_app, managesieve
from webmail.account import Account, Password, Server

MINE = 'require ["fileinto"];\r\n# à moi,  as I   wrote it\r\nif header :contains "subject" "x" { keep; }\r\n'


def account(services, address: str) -> Account:
    server = Server("127.0.0.1", services.ports.sieve, "none")
    return Account(address, server, server, Password(address, services.password), server)


@pytest.mark.parametrize("way", ["separator", "authzid"])
def test_scripts_come_as_they_are_and_stay_what_people_make_of_them(way, services, make_account, tmp_path: Path):
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    app = create_app(values.pop("instance"), **values)
    new = make_account()
    secret, file = tmp_path / "secret", tmp_path / "people.csv"
    secret.touch(mode=0o600)
    secret.write_text(MASTER_PASSWORD)
    file.write_text(f"old,new\nzoe@lycee.example,{new}\n")
    with passing_folder() as folder, OldServices(folder / "demo") as old:
        old.add_account("zoe@lycee.example", "Zoé")
        with managesieve.connect(account(old, "zoe@lycee.example")) as there:
            there.write("mes filtres", MINE)
            there.write("other", "keep;\r\n")
            there.activate("mes filtres")
        words = ["import", "filters", str(file), "--server", f"127.0.0.1:{old.ports.sieve}", "--master", MASTER]
        words += ["--password-file", str(secret), "--way", way]
        first = app.test_cli_runner().invoke(args=words)
        assert (first.exit_code, "2 scripts there, 2 copied" in first.output) == (0, True), first.output
        with managesieve.connect(account(services, new)) as here:
            assert [(one.name, one.active) for one in here.list()] == [("mes filtres", True), ("other", False)]
            assert here.read("mes filtres") == MINE
            here.write("other", "discard;\r\n")
        again = app.test_cli_runner().invoke(args=words)
    assert (again.exit_code, "0 copied" in again.output, "other: there is another script" in again.output) == (1, True, True)
    with managesieve.connect(account(services, new)) as here:
        assert here.read("other") == "discard;\r\n"

"""ManageSieve and the doctor on a real Dovecot, by password and by token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.demo.dovecot import token_key
from deploy.demo.services import ISSUER
from webmail import config, doctor, managesieve
from webmail.account import Token
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.errors import SignInRefused


@pytest.mark.parametrize("token", [True, False], ids=["token", "password"])
def test_sign_in_to_managesieve_and_list(make_account, account_of, token):
    with managesieve.connect(account_of(make_account(), token=token)) as connection:
        assert "fileinto" in connection.greeting.extensions
        assert all(isinstance(script, managesieve.Script) for script in connection.list())


def test_managesieve_refuses_a_wrong_password_and_a_foreign_token_at_once(make_account, account_of, issuer):
    account = account_of(make_account(), token=False)
    wrong = replace(account, credential=replace(account.credential, password="wrong"))
    foreign = replace(account, credential=Token(account.address, replace(issuer, issuer="https://other.example")))
    for refused in (wrong, foreign):
        with pytest.raises(SignInRefused), managesieve.connect(refused):
            pass


def test_the_doctor_finds_the_demo_well(make_account, services, tmp_path):
    settings = config.load(
        tmp_path / "instance",
        **{f"{kind}_security": "none" for kind in ("imap", "smtp", "sieve")},
        sieve_host="127.0.0.1",
        imap_port=services.ports.imap,
        smtp_port=services.ports.smtp,
        sieve_port=services.ports.sieve,
        token_key_file=str(token_key(services.base)),
        token_issuer=ISSUER,
    )
    before = db.obj  # the application's, which other tests go on with
    database = open_database(settings.database_url)
    try:
        migrate()
        checks = list(doctor.examine(settings, make_account()))
    finally:
        database.close()
        db.initialize(before)
    assert [check for check in checks if check.state != doctor.OK] == []
    assert {"IMAP sign-in", "IMAP capabilities", "ManageSieve sign-in"} <= {check.name for check in checks}

"""The doctor on a real Dovecot."""

from __future__ import annotations

from deploy.demo.dovecot import token_key
from deploy.demo.services import ISSUER
from webmail import config, doctor
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate


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
        public_url="https://webmail.lycee.example",
        system_address="ne-pas-repondre@lycee.example",
    )
    before = db.obj  # the application's, which other tests go on with
    database = open_database(settings.database_url)
    try:
        migrate()
        checks = list(doctor.examine(settings, make_account()))
    finally:
        database.close()
        db.initialize(before)
    assert [check for check in checks if check.state != doctor.OK and check.name != "Worker"] == []  # none runs here
    assert {"IMAP sign-in", "IMAP capabilities", "ManageSieve sign-in"} <= {check.name for check in checks}

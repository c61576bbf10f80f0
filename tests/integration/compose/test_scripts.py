"""What a script sends arrives, once, and lies in Sent as what its person writes."""

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from tests.support.scripts import Script, problem
from webmail.database.connection import db


def test_a_message_of_a_script_arrives_once(app, alice, bob, work, stored):
    with db.connection_context():
        script = Script(app, alice.address.partition("@")[0])
    body = {"to": [bob.address], "subject": "Sauvegarde du soir", "text": "Tout va bien."}
    sent = script.post("/messages", body, Idempotency_Key="tonight-0001").get_json()
    work()
    again = script.post("/messages", body, Idempotency_Key="tonight-0001").get_json()
    work()
    assert (sent["state"], again["number"], again["state"]) == ("waiting", sent["number"], "sent")
    assert problem(script.ask("DELETE", f"/messages/{sent['number']}")) == "conflict"
    [arrived] = stored(bob, "INBOX")
    assert arrived["Subject"] == "Sauvegarde du soir" and alice.address in arrived["From"]
    assert [one["Subject"] for one in stored(alice, "Sent")] == ["Sauvegarde du soir"]
    assert alice.get("/mailbox/Drafts").rows == []


def test_an_app_password_for_scripts_opens_no_mail_server(app, alice, services):
    with db.connection_context():
        script = Script(app, alice.address.partition("@")[0])
    client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False, timeout=10)
    try:
        with pytest.raises(LoginError):
            client.login(alice.address, script.password)
    finally:
        client.shutdown()

"""What scripts send, held at delivery: those that another ManageSieve program uploaded, on the real Dovecot, Postfix and door. Mail is
forwarded where it may be, and answers, redirects and notifications leave with a From that the script's owner may use, or not at all."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from email import message_from_string
from pathlib import Path

import pytest
from imapclient import IMAPClient
from sievelib.managesieve import Client

from deploy.demo import accounts, postfix
from deploy.demo.services import Services
from deploy.dovecot import render
from tests.support import delivery
from tests.support.messages import message
from tests.support.waiting import eventually
from webmail.database.connection import db
from webmail.doctor.mail_servers import forwarding as doctor_forwarding
from webmail.filters import store
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.store import Filters
from webmail.models import AllowedAddress, User
from webmail.people import policies
from webmail.people.policies import Policy

HOST = "127.0.0.1"
FAR = "private-{}@far.example"
GOOD = "home-{}@world.test"  # of forwarding_domains
BOB = "bob@lycee.example"

pytestmark = pytest.mark.skipif(bool(postfix.door_missing()), reason=postfix.door_missing())


@pytest.fixture
def upload(services: Services) -> Callable[[str, str], None]:
    """`upload(address, script)` as any program would."""

    def put(address: str, script: str) -> None:
        client = Client(HOST, services.ports.sieve)
        assert client.connect(address, services.password, authmech="PLAIN")
        assert client.putscript("theirs", script), client.errmsg
        assert client.setactive("theirs")
        client.logout()

    return put


def deliver(
    services: Services, address: str, subject: str, envelope: str = "ann@world.test", hops: int = 0, to: str = ""
) -> None:
    one = message(subject, "Bonjour", "ann@world.test", To=to or address)
    for number in range(hops):
        one["Received"] = f"from hop{number}.world.test by world.test; Thu, 1 Jan 2026 12:00:00 +0000"
    delivery.deliver(services.ports.lmtp, address, one, envelope)


def sent_to(folder: Path, recipient: str) -> list[dict[str, str]]:
    found = ((file, json.loads(file.read_text())) for file in folder.glob("[!.]*.json"))
    return [{**one, "text": file.with_suffix(".eml").read_text()} for file, one in found if one["recipient"] == recipient]


def inbox(client: IMAPClient, subject: str) -> int:
    client.select_folder("INBOX", readonly=True)
    return len(client.search(["SUBJECT", subject]))


WAYS = (
    'redirect "{}";',
    'require "copy"; redirect :copy "{}";',
    'redirect "{}"; discard;',
    'require "fileinto"; redirect "{}"; fileinto "Archive";',
    'require "editheader"; deleteheader "X-Sieve-Redirected-From"; redirect "{}";',
    'require "editheader"; addheader "Received" "from elsewhere.example"; redirect "{}";',
    'require "enotify"; notify :message "secret" "mailto:{}"; keep;',
    'require "enotify"; notify "mailto:{}?X-Sieve-Redirected-From=spy@far.example"; keep;',
)
ROUTED = ("spy%far.example@lycee.example", "far.example!spy@lycee.example", '\\"spy@far.example\\"@lycee.example')


FORGED_ANSWERS = (
    'require "vacation"; vacation :from "Bob <bob@lycee.example>" :subject "Urgent" "Pay";',
    'require "vacation"; vacation :from "Head <head@elsewhere.example>" "Pay";',
    'require "vacation"; vacation :from "\\"bob@lycee.example\\" <{own}>" "Pay";',
    'require "vacation"; vacation :mime text:\r\nFrom: Bob <bob@lycee.example>\r\n\r\nPay\r\n.\r\n;',
    'require "vacation"; vacation :mime text:\r\nSender: Bob <bob@lycee.example>\r\n\r\nPay\r\n.\r\n;',
    'require "vacation"; vacation :mime text:\r\nResent-From: Bob <bob@lycee.example>\r\n\r\nPay\r\n.\r\n;',
    'require "vacation"; vacation :from "Bob <bob@lycee.example>" :mime text:\r\nX-Sieve-Redirected-From: {own}\r\n\r\nPay\r\n.\r\n;',
    'require ["vacation", "variables"]; set "x" "bob"; vacation :from "Bob <${{x}}@lycee.example>" "Pay";',
    'require "vacation"; vacation :addresses ["bob@lycee.example"] "Pay";',  # mail that says it was for him
    'require "enotify"; notify :from "Bob <bob@lycee.example>" :message "Pay" "mailto:{to}";',
    'require "enotify"; notify :from "Head <postmaster@lycee.example>" :message "Pay" "mailto:{to}";',
)
FORGED_REDIRECTS = (
    'require "editheader"; deleteheader "From"; addheader "From" "Bob <bob@lycee.example>"; redirect "{to}";',
    'require "editheader"; addheader "From" "Bob <bob@lycee.example>"; redirect "{to}";',
    'require "editheader"; addheader :last "fROM" "Bob <bob@lycee.example>"; redirect "{to}";',
    'require ["editheader", "variables"]; set "x" "From"; deleteheader "${{x}}"; addheader "${{x}}" "Bob <bob@lycee.example>"; '
    'redirect "{to}";',
    'require ["editheader", "encoded-character"]; addheader "X-A" "x${{unicode:0a}}From: Bob <bob@lycee.example>"; redirect "{to}";',
    'require "editheader"; addheader "Sender" "Bob <bob@lycee.example>"; redirect "{to}";',
    'require "editheader"; addheader "Resent-From" "Bob <bob@lycee.example>"; redirect "{to}";',
)
HONEST_ANSWERS = (
    'require "vacation"; vacation "Away";',
    'require "vacation"; vacation :from "Somebody <{own}>" "Away";',
    'require "vacation"; vacation :mime text:\r\nContent-Type: text/html\r\n\r\n<p>Away\r\n.\r\n;',
    'require "vacation"; vacation :from "Office <office@lycee.example>" "Away";',
)


def test_nothing_leaves_the_establishment_and_everything_stays(services, make_account, upload, imap_of, outside):
    targets = [*((way, FAR.format(number)) for number, way in enumerate(WAYS)), *((WAYS[0], one) for one in ROUTED)]
    for way, target in targets:
        address = make_account("leaky")
        upload(address, way.format(target))
        deliver(services, address, "Internal", envelope="" if target == FAR.format(0) else "ann@world.test")
        assert inbox(imap_of(address), "Internal") == 1, way
    passed = make_account("passed")
    upload(passed, WAYS[0].format(GOOD.format(1)))
    deliver(services, passed, "May leave")
    eventually(lambda: sent_to(outside, GOOD.format(1)), step=0.05, what="what may leave")  # by then the others would have left
    found = [json.loads(file.read_text())["recipient"] for file in outside.glob("[!.]*.json")]
    assert not set(found) & {target for _way, target in targets}
    assert inbox(imap_of(passed), "May leave") == 0


def test_a_notification_can_not_be_returned_to_somebody_outside(services, make_account, upload, imap_of):
    """`:from` becomes the envelope's sender: a colleague's full mailbox would send the text there."""
    address, other = make_account("returns"), make_account("colleague")
    upload(address, f'require "enotify"; notify :from "{FAR.format("back")}" :message "secret" "mailto:{other}";')
    deliver(services, address, "Internal")
    upload(address, f'require "enotify"; notify :message "second" "mailto:{other}";')
    deliver(services, address, "Told")
    eventually(lambda: inbox(imap_of(other), "second"), step=0.05, what="a notification inside")
    assert inbox(imap_of(other), "secret") == 0 and inbox(imap_of(address), "Internal") == 1


def test_a_changed_setting_holds_from_the_next_message_on(services, make_account, upload, imap_of, outside):
    """Nobody restarts the milter."""
    address, target = make_account("later"), FAR.format("later")
    upload(address, WAYS[0].format(target))
    deliver(services, address, "Before")
    assert inbox(imap_of(address), "Before") == 1
    file = services.base / "web" / "config.toml"
    before = file.read_text()
    mode = next(line for line in before.splitlines() if line.startswith("forwarding ="))
    try:
        file.write_text(before.replace(mode, 'forwarding = "anywhere"'))
        deliver(services, address, "Meanwhile")
        eventually(lambda: sent_to(outside, target), step=0.05, what="a message that may leave now")
        assert inbox(imap_of(address), "Meanwhile") == 0
    finally:
        file.write_text(before)
    deliver(services, address, "After")
    assert inbox(imap_of(address), "After") == 1
    assert len(sent_to(outside, target)) == 1


def test_the_doctor_sees_the_milter(app, services):
    settings = replace(app.extensions["settings"], smtp_host=HOST, authserv_id="mx.test", forwarding="inside")
    [check] = doctor_forwarding.examine(settings, (HOST, services.ports.milter))
    assert check.state == "ok"


def test_no_imap_program_sends_mail_by_a_script(make_account, imap_of):
    """FILTER=SIEVE would send what a password for reading alone writes, under any name."""
    assert b"FILTER=SIEVE" not in imap_of(make_account("reads")).capabilities()


def test_without_forwarding_dovecot_itself_sends_nothing_on(tmp_path):
    """Whether there is a door or not: a notification would carry the text as a redirect does."""
    script = tmp_path / "notifies.sieve"
    script.write_text('require "enotify"; notify "mailto:spy@far.example";')
    for forwarding in (True, False):
        file = render.write(
            render.Values(
                production=False, etc=tmp_path / f"{forwarding}", mail=tmp_path, database=tmp_path / "x.sqlite", hostname="mx.test",
                domain="lycee.example", issuer="https://x.test", user="nobody", uid=65534, gid=65534, forwarding=forwarding,
            )
        )  # fmt: skip
        done = subprocess.run(["/usr/bin/sievec", "-c", file, script, tmp_path / "x.svbin"], capture_output=True, check=False)
        assert (done.returncode == 0) is forwarding, done.stderr
        assert ("sieve_max_redirects = 0" in file.read_text()) is not forwarding


def test_forwarding_inside_is_allowed_in_the_name_of_whoever_forwards(services, make_account, upload, imap_of, arrives):
    address, other = make_account("ann"), make_account("other")
    upload(address, WAYS[0].format(other))
    deliver(services, address, "Goes on inside")
    client = imap_of(other)
    uid = arrives(client, ["SUBJECT", "Goes on inside"])
    head = client.fetch([uid], ["BODY[HEADER.FIELDS (RETURN-PATH)]"])[uid][b"BODY[HEADER.FIELDS (RETURN-PATH)]"]
    assert address.encode() in head


def test_two_who_forward_to_each_other_lose_nothing(services, make_account, upload, imap_of, arrives):
    one, two = make_account("one"), make_account("two")
    upload(one, WAYS[0].format(two))
    upload(two, WAYS[0].format(one))
    deliver(services, one, "Round and round")
    arrives(imap_of(one), ["SUBJECT", "Round and round"])
    assert inbox(imap_of(one), "Round and round") == 1


def test_whoever_forwards_is_told_what_could_not_be_delivered(services, make_account, upload, imap_of, arrives, outside):
    address = make_account("told")
    forwarding = Forwarding(True, (GOOD.format(2),), keep=False)
    upload(address, store.script_of(Filters(forwarding=forwarding), SievePlace(frozenset({"envelope"}))))
    deliver(services, address, "Too far", hops=31)  # the world refuses that
    arrives(imap_of(address), ["TEXT", "Too many hops"])
    assert sent_to(outside, "ann@world.test") == []  # whoever wrote it learns no private address


def test_answers_leave_with_a_from_that_their_owner_may_use_or_not_at_all(app, services, make_account, upload, imap_of, outside):
    for number, way in enumerate(FORGED_ANSWERS):
        address = make_account("answers")
        upload(address, way.format(own=address, to=f"home-a{number}@world.test"))
        deliver(services, address, "A question", f"home-a{number}@world.test", to=BOB if ":addresses" in way else "")
        assert inbox(imap_of(address), "A question") == 1, way
    for number, way in enumerate(HONEST_ANSWERS):
        address = make_account("away")
        if "office@" in way:
            with app.app_context(), db.connection_context():
                AllowedAddress.create(user=User.get(User.address == address), address="office@lycee.example")
        upload(address, way.format(own=address))
        deliver(services, address, "A question", f"home-h{number}@world.test")
        [one] = eventually(lambda n=number: sent_to(outside, f"home-h{n}@world.test"), step=0.05, what=way)
        answer = message_from_string(one["text"])
        assert one["sender"] == "<>", "an answer that can't be delivered comes back to nobody"
        assert ("office@lycee.example" if "office@" in way else address) in answer["From"]
        assert inbox(imap_of(address), "A question") == 1
    left = [one for number in range(len(FORGED_ANSWERS)) for one in sent_to(outside, f"home-a{number}@world.test")]
    assert left == []


def test_redirects_keep_the_author_of_the_message(services, make_account, upload, outside):
    for number, way in enumerate(FORGED_REDIRECTS):
        address, target = make_account("sends-on"), f"home-r{number}@world.test"
        upload(address, way.format(to=target))
        deliver(services, address, "Sent on")
        [found] = eventually(lambda target=target: sent_to(outside, target), step=0.05, what=way)
        one = message_from_string(found["text"])
        assert one.get_all("From") == ["ann@world.test"], way
        assert not {"sender", "resent-from"} & {name.lower() for name in one}, way


def limit(services: Services, address: str, **said: object) -> None:
    with accounts.tables(services.database):
        policies.set_own(User.get(User.address == address), Policy(**said))


def test_what_is_said_of_a_group_holds_for_redirects_of_any_program(services, make_account, upload, imap_of, outside, arrives):
    """The installation lets mail go inside and to world.test; groups say less, and more."""
    closed, wider, other = make_account("closed"), make_account("wider"), make_account("inside")
    limit(services, closed, forwarding="off")
    limit(services, wider, forwarding="domains", forwarding_domains=("far.example",))
    for target in (other, GOOD.format("closed")):
        upload(closed, WAYS[1].format(target))
        deliver(services, closed, f"Stays {target}")
        assert inbox(imap_of(closed), f"Stays {target}") == 1
    upload(wider, WAYS[0].format(FAR.format("wider")))
    deliver(services, wider, "Leaves")
    eventually(lambda: sent_to(outside, FAR.format("wider")), step=0.05, what="what a group lets leave")
    assert inbox(imap_of(wider), "Leaves") == 0
    assert inbox(imap_of(other), "Stays") == 0 and sent_to(outside, GOOD.format("closed")) == []


def test_a_script_reaches_nobody_whom_its_owner_may_not_write_to(services, make_account, upload, imap_of, outside, arrives):
    """By a redirect, an answer or a notification: what they may write by hand is the measure, wherever mail may be forwarded."""
    pupil, mate = make_account("pupil-reach"), make_account("mate-reach")
    limit(services, pupil, forwarding="anywhere", writes_to="inside")
    for number, way in enumerate((*WAYS, 'require "vacation"; vacation "Away";')):
        far = FAR.format(f"reach-{number}")
        upload(pupil, way.format(far))
        deliver(services, pupil, f"Out of reach {number}", far if "vacation" in way else "ann@world.test")
        assert inbox(imap_of(pupil), f"Out of reach {number}") == 1, way
    upload(pupil, 'require "vacation"; vacation "Away until Monday";')
    deliver(services, pupil, "Asked inside", mate)
    arrives(imap_of(mate), ["TEXT", "Away until Monday"])
    upload(pupil, WAYS[0].format(mate))
    deliver(services, pupil, "Goes to a classmate")
    arrives(imap_of(mate), ["SUBJECT", "Goes to a classmate"])
    assert [one for number in range(len(WAYS) + 1) for one in sent_to(outside, FAR.format(f"reach-{number}"))] == []

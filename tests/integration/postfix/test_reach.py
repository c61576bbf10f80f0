"""Who may write to whom, held by the door: pupils write to their class and its teachers, and get nothing from outside."""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from deploy.demo import accounts, postfix
from deploy.demo.services import Services
from tests.support.dav_client import DavClient
from tests.support.visits import Visitor
from tests.support.worker import jobs_of
from webmail.auth import account_management, aliases
from webmail.auth.devices import app_passwords
from webmail.database.connection import db
from webmail.models import Outbox, PeopleGroup, User
from webmail.people import groups, lists, policies
from webmail.people.policies import Policy

FAR = "ann@far.example"
Connect = Callable[..., smtplib.SMTP]
pytestmark = pytest.mark.skipif(bool(postfix.door_missing()), reason=postfix.door_missing())


@dataclass(frozen=True)
class School:
    pupil: User
    classmate: User
    teacher: User
    other: User  # of another class
    list: str  # of the class, for its owners alone
    four: PeopleGroup


@pytest.fixture
def school(services: Services, make_account: Callable[..., str]) -> Iterator[School]:
    with accounts.tables(services.database):
        pupil, mate, teacher, other = (User.get(User.address == make_account()) for _ in range(4))
        mark = time.time_ns()
        teachers = groups.create("lycee.example", f"Teachers {mark}")
        four = groups.create("lycee.example", f"4e B {mark}")
        groups.add(teachers, [teacher])
        groups.add(four, [pupil, mate])
        policies.set_group(four, Policy(writes_to="groups", reach=(teachers.identifier,), written_by="inside"))
        address = lists.set_address(four, f"class-{mark}@lycee.example", "owners")
        lists.set_owners(four, [teacher])
        yield School(User.get_by_id(pupil.id), mate, teacher, other, address, four)


def answer(client: smtplib.SMTP, sender: str, recipient: str) -> tuple[int, bytes]:
    client.rset()
    client.mail(sender)
    return client.rcpt(recipient)


def test_a_pupil_reaches_their_class_and_teachers_and_nobody_else(
    submitting: Connect, services: Services, school: School
) -> None:
    me = school.pupil.address
    with accounts.tables(services.database):
        aliases.add(school.other, f"alias-{school.other.address}")
        aliases.add(school.teacher, f"alias-{school.teacher.address}")
        account_management.set_language(school.pupil, "fr")
    device = submitting(me)
    for allowed in (
        school.classmate.address, school.teacher.address.upper(), school.teacher.address.replace("@", "+x@"),
        f"alias-{school.teacher.address}", me, accounts.ADMIN.address,
    ):  # fmt: skip
        assert answer(device, me, allowed)[0] == 250, allowed
    local, _, domain = school.other.address.partition("@")
    for refused in (
        school.other.address, f"{local}+x@{domain}", f'"{local}"@{domain}', f"alias-{school.other.address}", FAR,
        "ann%far.example@localhost", school.list,
    ):  # fmt: skip
        code, words = answer(submitting(me), me, refused)
        assert code in (550, 553) and (b"5.7.1" in words or b"5.1" in words), (refused, words)
    code, words = answer(device, me, FAR)
    assert (code, words) == (550, f"5.7.1 Votre compte ne permet pas de joindre cette adresse : <{FAR}>".encode())


def test_bcc_and_a_forged_sender_change_nothing(submitting: Connect, school: School, imap_of, arrives) -> None:
    me = school.pupil.address
    text = f"From: {me}\r\nTo: {school.classmate.address}\r\nSubject: hidden-copy\r\n\r\nx\r\n"
    refused = submitting(me).sendmail(me, [school.classmate.address, school.other.address], text)
    assert list(refused) == [school.other.address] and refused[school.other.address][0] == 550
    assert arrives(imap_of(school.classmate.address), ["SUBJECT", "hidden-copy"])
    with pytest.raises(smtplib.SMTPException):
        submitting(me).sendmail(school.teacher.address, [school.other.address], text)


def test_nothing_comes_from_outside_to_a_pupil_and_everything_to_a_teacher(
    from_outside: Connect, submitting: Connect, school: School
) -> None:
    code, words = answer(from_outside(), FAR, school.pupil.address)
    assert code == 550 and b"5.7.1" in words and b"internes" in words and b"from inside" in words
    assert answer(from_outside(), "", school.pupil.address.replace("@", "+x@"))[0] == 550
    assert answer(from_outside(), FAR, school.teacher.address)[0] == 250
    assert answer(submitting(school.other.address), school.other.address, school.pupil.address)[0] == 250


def test_a_list_reaches_its_members_from_its_owners_alone(
    from_outside: Connect, submitting: Connect, services: Services, school: School, imap_of, arrives
) -> None:
    teacher = school.teacher.address
    text = f"From: {teacher}\r\nTo: {school.list}\r\nSubject: to-the-class\r\n\r\nx\r\n"
    assert submitting(teacher).sendmail(teacher, [school.list], text) == {}
    for member in (school.pupil, school.classmate):
        assert arrives(imap_of(member.address), ["SUBJECT", "to-the-class"])
    assert answer(submitting(school.other.address), school.other.address, school.list)[0] == 550
    assert answer(from_outside(), FAR, school.list)[0] == 550
    with accounts.tables(services.database):
        lists.set_address(school.four, school.list, "anybody")
    assert answer(from_outside(), FAR, school.list)[0] == 250


def test_a_message_is_as_large_as_the_group_lets_it_be(submitting: Connect, services: Services, make_account) -> None:
    with accounts.tables(services.database):
        user = User.get(User.address == make_account())
        policies.set_own(user, Policy(message_bytes=1024**2))
    text = f"From: {user.address}\r\nSubject: large\r\n\r\n" + "x" * 70 + "\r\n"
    assert submitting(user.address).sendmail(user.address, [user.address], text) == {}
    with pytest.raises(smtplib.SMTPDataError) as caught:
        submitting(user.address).sendmail(user.address, [user.address], text + ("x" * 70 + "\r\n") * 20_000)
    assert caught.value.smtp_code == 552


EVENT = """BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n\
DTSTART:20271105T100000Z\r\nDTEND:20271105T110000Z\r\nSUMMARY:Exposition\r\nORGANIZER:mailto:{me}\r\n\
ATTENDEE;PARTSTAT=ACCEPTED:mailto:{me}\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{mate}\r\n\
ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{far}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"""


def test_a_telephones_invitations_reach_nobody_else_and_that_is_told(
    app: Flask, services: Services, school: School, imap_of, arrives, outside: Path
) -> None:
    """Pages name such guests; a telephone's event is taken, and the door holds what leaves because of it."""
    me, mate = school.pupil, school.classmate
    with db.connection_context():
        letters, _row = app_passwords.add(me, "Phone", ["caldav"])
    phone, uid = DavClient.inside(app, me.address, letters), f"expo-{time.time_ns()}"
    text = EVENT.format(uid=uid, me=me.address, mate=mate.address, far=FAR)
    assert phone.put(f"calendar/{uid}.ics", text.encode())[0] == 201
    with db.connection_context():
        rows = list(Outbox.select().where(Outbox.sender == me.address))
        assert rows
        for row in rows:
            jobs_of(app).deliver(row.id)
    assert arrives(imap_of(mate.address), ["SUBJECT", "Exposition"])
    assert not [one for one in outside.glob("[!.]*.json") if json.loads(one.read_text())["sender"] == me.address]
    told = Visitor(app, me.address).sign_in().get("/outbox").text
    assert FAR in told and "Exposition" in told

"""What the boxes of the pages of one's own mail hold, and what messages and parts are called as files."""

from __future__ import annotations

import pytest

from webmail.compose.attachments.mail_attachments import Pick, part_name, picks, to_form_value
from webmail.mail import Envelope, Part
from webmail.mime.headers.filenames import message_name


def test_picks_are_read_from_what_they_were_packed_into():
    chosen = [Pick("Work", 7, 12), Pick("A:b,c", 9, 3, "1.2"), Pick("Work", 7, 15, "2"), Pick("Work", 8, 12)]
    assert to_form_value(chosen) == ["12,15/2:7:Work", "3/1.2:9:A:b,c", "12:8:Work"]
    assert set(picks(to_form_value(chosen))) == set(chosen)
    assert picks(["12:7:Work", "12,12:7:Work"]) == [Pick("Work", 7, 12)]
    assert chosen[2].value == "15/2:7:Work"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "12",
        "12:7",
        "12:7:",
        "0:7:Work",
        "x:7:Work",
        "١:7:Work",
        "12/../1:7:Work",
        "12/1.0:7:W",
        "12:-1:Work",
        "12:99999999999:W",
    ],
)
def test_what_is_no_pick_is_passed_over(value):
    assert picks([value]) == []


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("Sortie", "Sortie.eml"),
        ("Re: Sortie/juin", "Re Sortie-juin.eml"),
        ("../../etc/passwd", "-..-etc-passwd.eml"),
        ("", "message.eml"),
        ("...", "message.eml"),
        ("\u202egpj.exe\r\nBcc: x", "gpj.exeBcc x.eml"),
        ("é" * 200, "é" * 80 + ".eml"),
    ],
)
def test_a_message_is_called_after_its_subject(subject, name):
    assert message_name(subject) == name


def test_a_part_without_a_name_gets_one():
    assert part_name(Part("2", "image/png", 9, filename="a/b.png")) == "b.png"
    assert part_name(Part("2.1", "image/png", 9)) == "attachment-2.1"
    assert part_name(Part("3", "message/rfc822", 9, envelope=Envelope(subject="Re: a"))) == "Re a.eml"

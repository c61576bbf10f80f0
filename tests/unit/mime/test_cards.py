"""Invitations, visiting cards, winmail.dat, and which viewer a part has."""

from __future__ import annotations

import random
import struct
import time
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes

import pytest

from deploy.demo.letters.curiosities import curiosities
from deploy.demo.letters.tnef import attribute, properties, winmail
from webmail.mail import Part, Structure
from webmail.mime import part_kinds
from webmail.mime.formats import icalendar, tnef, vcard_view
from webmail.mime.part_kinds import PartKind


def calendar(*lines: str, method: str = "") -> str:
    head = f"BEGIN:VCALENDAR\nVERSION:2.0\n{f'METHOD:{method}' + chr(10) if method else ''}"
    return f"{head}BEGIN:VEVENT\n" + "\n".join(lines) + "\nEND:VEVENT\nEND:VCALENDAR\n"


def event(*lines: str) -> icalendar.Event:
    found = icalendar.read(calendar(*lines))
    assert found is not None
    return found.events[0]


class TestCalendar:
    def test_a_request(self) -> None:
        found = icalendar.read(
            calendar(
                "SUMMARY:Réunion\\, salle 3", "DTSTART;TZID=Europe/Paris:20261201T180000", "DURATION:PT90M", "LOCATION:Salle 3",
                "ORGANIZER;CN=Claire Rey:mailto:claire@x.example", "ATTENDEE;PARTSTAT=DECLINED:MAILTO:bob@x.example",
                "STATUS:TENTATIVE", method="REQUEST",
            )
        )  # fmt: skip
        assert found and found.method == "request"
        one = found.events[0]
        assert one.summary == "Réunion, salle 3" and one.place == "Salle 3" and one.status == "tentative"
        assert isinstance(one.start, datetime) and one.start.astimezone(UTC) == datetime(2026, 12, 1, 17, tzinfo=UTC)
        assert one.end == one.start + timedelta(minutes=90)
        assert str(one.organizer) == "Claire Rey <claire@x.example>"
        assert one.attendees[0].answer == "declined" and one.attendees[0].person.email == "bob@x.example"

    def test_whole_days_end_on_their_last_day(self) -> None:
        one = event("DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203")
        assert one.all_day and (one.start, one.end) == (date(2026, 12, 1), date(2026, 12, 2))
        assert event("DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261202").end is None

    def test_a_time_without_a_zone_stays_without(self) -> None:
        one = event("DTSTART:20261201T180000")
        assert isinstance(one.start, datetime) and one.start.tzinfo is None

    def test_a_zone_that_the_file_itself_defines(self) -> None:
        zone = "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\nEND:STANDARD\nEND:VTIMEZONE\n"
        text = calendar("DTSTART;TZID=Mine:20261201T180000").replace("BEGIN:VEVENT", zone + "BEGIN:VEVENT")
        found = icalendar.read(text)
        assert found and isinstance(found.events[0].start, datetime)
        assert found.events[0].start.astimezone(UTC).hour == 15

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            ("FREQ=DAILY", icalendar.Recurrence("daily")),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=6", icalendar.Recurrence("weekly", 2, (1, 3), 6)),
            ("FREQ=YEARLY;UNTIL=20301231", icalendar.Recurrence("yearly", until=date(2030, 12, 31))),
            ("FREQ=MONTHLY;BYDAY=3MO", None),
            ("FREQ=SECONDLY", None),
        ],
    )
    def test_how_it_comes_again(self, rule: str, expected: icalendar.Recurrence | None) -> None:
        one = event("DTSTART:20261201T180000Z", f"RRULE:{rule}")
        assert one.repeat == expected and one.repeats

    @pytest.mark.parametrize(
        "lines",
        [
            ("DTSTART:yesterday",), ("DTSTART:20261201T180000Z", "DTEND:20261101T180000Z"), ("DURATION: PT",), ("RRULE:FREQ=WEEKLY;BYDAY=1X",),
            ("DTSTART:20261201T180000Z", "DTEND;VALUE=DATE:20261202"), ("ORGANIZER:",), ("SUMMARY:a", "SUMMARY:b"), ("X",),
        ],
    )  # fmt: skip
    def test_broken_events_never_raise(self, lines: tuple[str, ...]) -> None:
        found = icalendar.read(calendar(*lines))
        assert found is None or found.events[0].end is None

    @pytest.mark.parametrize(
        "text", ["", "BEGIN:VCALENDAR", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "x" * 10, "BEGIN:VCALENDAR\nBEGIN:VEVENT\n"]
    )
    def test_no_events_no_card(self, text: str) -> None:
        assert icalendar.read(text) is None

    def test_many_events_are_bounded_and_counted_in_no_time(self) -> None:
        many = (
            "BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nSUMMARY:ß\nDTSTART:20261201T180000Z\nEND:VEVENT\n" * 15_000 + "END:VCALENDAR\n"
        )
        start = time.monotonic()
        found = icalendar.read(many)
        assert found and (len(found.events), found.more) == (icalendar.EVENTS_LIMIT, 15_000 - icalendar.EVENTS_LIMIT)
        for hostile in ("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * 70_000, "BEGIN:VCALENDAR\n" + "A" * 900_000, many * 2):
            icalendar.read(hostile)
        assert time.monotonic() - start < 2


class TestCards:
    def test_a_card(self) -> None:
        (card,) = vcard_view.read(
            "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Zoé Dupont\r\nEMAIL;TYPE=work:zoe@x.example\r\nTEL;VALUE=uri:tel:+33-4\r\n"
            "ORG:Lycée;Physique\r\nTITLE:Professeure\r\nADR:;;1 rue X;Lyon;;69001;France\r\nPHOTO:data:image/png;base64,AAAA\r\n"
            " AAAA\r\nURL:https://x.example\r\nEND:VCARD\r\n"
        )
        assert (card.name, card.emails, card.phones) == ("Zoé Dupont", ("zoe@x.example",), ("+33-4",))
        assert (card.organisation, card.role) == ("Lycée, Physique", "Professeure")
        assert "1 rue X" in card.addresses[0] and "Lyon" in card.addresses[0]
        assert card.sites == ("https://x.example",)

    def test_an_old_card_in_quoted_printable(self) -> None:
        (card,) = vcard_view.read(
            "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Andr=C3=A9;Zo=C3=A9\nFN:Z\nEND:VCARD\n"
        )
        assert card.name == "Z"

    @pytest.mark.parametrize(
        "text", ["", "BEGIN:VCARD", "BEGIN:VCARD\nEND:VCARD\n", "hello", "BEGIN:VCARD\nBEGIN:VCARD\nFN:x\nEND:VCARD\n" * 3]
    )
    def test_broken_cards_never_raise(self, text: str) -> None:
        assert len(vcard_view.read(text)) <= 3

    def test_hostile_cards_take_no_time(self) -> None:
        start = time.monotonic()
        for line in (
            "FN;" + "a" * 200_000,
            "FN" + ';X="y"' * 30_000,
            "FN;ENCODING=QUOTED-PRINTABLE:" + "x=\n" * 60_000,
            "FN:x\n" * 40_000,
            "EMAIL;A=" + "," * 40 + '"x:y',
        ):
            vcard_view.read(f"BEGIN:VCARD\n{line}\nEND:VCARD\n")
        assert len(vcard_view.read("BEGIN:VCARD\nFN:x\nEND:VCARD\n" * 5_000)) == vcard_view.CARDS_LIMIT
        assert time.monotonic() - start < 2


class TestWinmail:
    def test_text_and_files(self) -> None:
        found = tnef.unpack(winmail("Bonjour à tous", {"Emploi du temps été.txt": b"lundi", "C:\\x\\y.exe": b""}))
        assert found and found.text == "Bonjour à tous"
        assert [(file.name, file.data) for file in found.files] == [("Emploi du temps été.txt", b"lundi"), ("y.exe", b"")]

    def test_the_words_of_its_html(self) -> None:
        found = tnef.unpack(winmail(html="<p>Salut<script>x()</script></p>"))
        assert found and found.text == "Salut"

    def test_a_file_in_its_properties(self) -> None:
        data = struct.pack("<IH", 0x223E9F78, 1) + attribute(2, 0x9002, bytes(14))
        data += attribute(2, 0x9005, properties({(0x1E, 0x3707): b"a.txt\0", (0x0102, 0x3701): b"content"}))
        found = tnef.unpack(data)
        assert found and [(file.name, file.data) for file in found.files] == [("a.txt", b"content")]

    @pytest.mark.parametrize("data", [b"", b"x" * 100, struct.pack("<I", 0x223E9F78), b"\0" * 6])
    def test_what_is_none(self, data: bytes) -> None:
        assert tnef.unpack(data) is None

    def test_claims_are_not_believed(self) -> None:
        start = time.monotonic()
        head = struct.pack("<IH", 0x223E9F78, 1)
        for value in (
            struct.pack("<I", 0xFFFFFFFF),  # four thousand million properties
            struct.pack("<IHHI", 0xFFFFFFFF, 0x1001, 0x3707, 0xFFFFFFFF),  # of no size, with as many values
            struct.pack("<IHHII", 1, 0x0102, 0x3701, 1, 0xFFFFFFFF),
            struct.pack("<IHHIIII", 1, 0x1E, 0x8000, 0, 0, 0, 0xFFFFFFFF),
        ):
            for data in (attribute(1, 0x9003, value), attribute(2, 0x9002, b"") + attribute(2, 0x9005, value)):
                assert tnef.unpack(head + data) is not None
        assert tnef.unpack(head + struct.pack("<BHHI", 1, 0x800C, 6, 0xFFFFFFFF) + b"cut") is not None
        tnef.unpack(head + attribute(2, 0x9002, b"") * 500_000)
        assert tnef.unpack(head + bytes(tnef.SIZE_LIMIT)) is None
        assert time.monotonic() - start < 1

    def test_noise_is_not_said_to_be_empty(self) -> None:
        assert tnef.unpack(struct.pack("<IH", 0x223E9F78, 1) + b"\xff" * 60) is None
        assert tnef.unpack(winmail()) == tnef.Unpacked("", ())

    def test_the_one_of_the_demonstration_holds_a_file(self) -> None:
        letters = [message_from_bytes(item.content) for item in curiosities(datetime.now(UTC), random.Random(1))]
        [part] = [part for letter in letters for part in letter.walk() if part.get_content_type() == "application/ms-tnef"]
        found = tnef.unpack(part.get_payload(decode=True))
        assert found and found.text and [file.name for file in found.files] == ["Planning des salles.xlsx"]

    def test_any_cut_is_survived(self) -> None:
        whole = winmail("Bonjour", {"a.txt": b"abc"}, html="<p>x</p>")
        for size in range(len(whole)):
            found = tnef.unpack(whole[:size])
            assert found is None or (len(found.files) <= 1 and all(b"abc".startswith(file.data) for file in found.files)), size


def part(kind: str, name: str = "", **more: object) -> Part:
    return Part(section="2", type=kind, size=10, filename=name, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (part("message/rfc822"), PartKind.FILE),  # the server tells nothing of it
        (part("text/calendar"), PartKind.CALENDAR),
        (part("application/octet-stream", "Invite.ICS"), PartKind.CALENDAR),
        (part("application/octet-stream", "winmail.dat"), PartKind.TNEF),
        (part("image/png", "a.png"), PartKind.IMAGE),
        (part("image/svg+xml", "a.svg"), PartKind.FILE),
        (part("text/x-python", "a.py"), PartKind.TEXT),
        (part("application/octet-stream", "a.log"), PartKind.TEXT),
        (part("application/octet-stream", "a.html"), PartKind.FILE),
        (part("application/pdf", "a.txt"), PartKind.FILE),
    ],
)
def test_which_viewer(one: Part, expected: PartKind) -> None:
    assert part_kinds.kind_of_part(one) is expected


def test_cards_are_few_and_whole() -> None:
    large = Part(section="2", type="text/calendar", size=1_000_001)
    many = tuple(Part(section=f"3.{n}", type="text/vcard", size=300_000) for n in range(1, 30))
    assert large not in part_kinds.cards(Structure(attachments=(large,)), 2_000_000)
    assert len(part_kinds.cards(Structure(attachments=many), 1_000_000)) == 3
    assert (
        len(part_kinds.cards(Structure(attachments=tuple(part("text/vcard") for _ in range(50))), 2_000_000))
        == part_kinds.CARDS_LIMIT
    )


@pytest.mark.parametrize(
    "line", ["TEL" + ";TYPE=a" * 270, "TEL" + ";TYPE=a" * 270 + ";\n :1", "TEL" + ";TYPE=a" * 10 + ';X="a:1']
)
def test_parameters_that_lead_nowhere_take_no_time(line: str) -> None:
    start = time.monotonic()
    (card,) = vcard_view.read(f"BEGIN:VCARD\nVERSION:3.0\nFN:x\n{line}\nEND:VCARD\n")
    assert card.name == "x"
    assert time.monotonic() - start < 1


def test_attendees_beyond_those_shown_are_not_read() -> None:
    found = event(*(f"ATTENDEE:mailto:a{n}@x.example\n ample" for n in range(1_000)))
    assert len(found.attendees) == icalendar.ATTENDEES_LIMIT
    few = icalendar._few_attendees("BEGIN:VEVENT\n" + "ATTENDEE:mailto:a\n b\n" * 300 + "SUMMARY:x\nEND:VEVENT")
    assert (few.count("ATTENDEE"), few.count("\n b"), "SUMMARY:x" in few) == (200, 200, True)

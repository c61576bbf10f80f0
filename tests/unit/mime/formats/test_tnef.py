"""winmail.dat, unpacked."""

from __future__ import annotations

import random
import struct
from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from deploy.demo.letters.curiosities import curiosities
from deploy.demo.letters.tnef import attribute, properties, winmail
from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats import tnef


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
        with cpu_seconds(1):
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

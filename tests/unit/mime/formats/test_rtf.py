"""Rich text of winmail.dat: unpacked, read as text or as the HTML that lies in it."""

from __future__ import annotations

import struct

import pytest

from deploy.demo.letters.tnef import attribute, properties, winmail
from tests.support.attachments import packed
from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats import rtf, tnef

# [MS-OXRTFCP] sections 3.1.1 and 3.1.2: the specification's own examples
_SIMPLE = bytes.fromhex("2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0")
_CROSSING = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")


def test_the_examples_of_the_specification() -> None:
    assert rtf.unpack(_SIMPLE) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert rtf.unpack(_CROSSING) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert rtf.read(rtf.unpack(_SIMPLE)).text == "hello world"
    assert rtf.unpack(struct.pack("<II4sI", 15, 3, b"MELA", 0) + b"abcdef") == b"abc"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rb"{\rtf1\ansi Bonjour \'e0 tous,\par voici \u8364?uro\line et \{ceci\} \endash  cela}", "Bonjour à tous,\nvoici €uro\net {ceci} – cela"),
        (rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8}", "При"),
        (rb"{\rtf1{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 MS Gothic;}}\f1\'93\'fa\'96\'7b\f0  \'e9}", "日本 é"),
        (rb"{\rtf1\uc2 \u-10179 ??\u-8704 ??!}", "😀!"),
        (rb"{\rtf1{\colortbl;\red0;}{\*\generator Riched20;}{\info{\author Bob}}{\pict 00ffaa}x}", "x"),
        (rb"{\rtf1 a{\pict\bin3 }}}}b}", "ab"),
        (rb'{\rtf1{\field{\*\fldinst{HYPERLINK "https://x.test/a" }}{\fldrslt{\ul here}}} end}', "here <https://x.test/a> end"),
        (rb'{\rtf1{\field{\*\fldinst HYPERLINK "https://x.test"}{\fldrslt https://x.test}}}', "https://x.test"),
        (b"{\\rtf1 one\r\ntwo}", "onetwo"),
        (b"no rich text", ""), (b"", ""), (b"{\\rtf1 cut {\\b of", "cut of"),
    ],
)  # fmt: skip
def test_text(source: bytes, text: str) -> None:
    assert rtf.read(source) == rtf.RtfDocument(text=text)


def test_the_html_in_it() -> None:
    source = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\htmltag19 <html>}{\*\htmltag64 <p class=\'22a\'22>}"
        rb"\htmlrtf {\htmlrtf0 Caf\'e9 {\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0  b{\*\mhtmltag84 <img src=x>}"
        rb"{\*\htmltag72 </p>}\htmlrtf\par}\htmlrtf0 {\*\htmltag27 </html>}}"
    )
    assert rtf.read(source) == rtf.RtfDocument(html='<html><p class="a">Café &lt; b</p></html>')


@pytest.mark.parametrize(
    "source",
    [
        b"{\\rtf1" + b"{" * 600_000, b"{\\rtf1" + b"\\ansicpg1251" * 50_000, b"{\\rtf1" + b"\\u1?" * 130_000,
        b"{\\rtf1" + b"{\\field{\\*\\fldinst{ HYPERLINK \"" * 20_000, b"{\\rtf1{\\fonttbl" + b"\\f1\\fcharset128" * 40_000,
        b"{\\rtf1" + b"\\'93" * 150_000, b"{\\rtf1" + b"\\bin999999999 " * 100, b"{\\rtf1" + b"{\\fldrslt a}" * 50_000,
        b"{\\rtf1" + b"{\\*\\fldinst HYPERLINK \"a\"" * 400 + b"{\\fldrslt a}" * 50_000,
    ],
    ids=range(9),
)  # fmt: skip
def test_hostile_ones_take_linear_time(source: bytes) -> None:
    with cpu_seconds(2):
        rtf.read(source)


def test_what_it_unpacks_to_is_bounded() -> None:
    body = b"\xff" + (b"\x0c\xff" * 8)  # references to what was just written
    with cpu_seconds(3):
        assert len(rtf.unpack(struct.pack("<II4sI", 0, 0, b"LZFu", 0) + b"\0abcdefgh" + body * 50_000)) <= rtf.SIZE_LIMIT
    for size in range(len(_SIMPLE)):
        assert rtf.unpack(_SIMPLE[:size]) in b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def test_a_winmail_whose_only_body_is_rich() -> None:
    def with_rich(source: bytes, **more: str) -> tnef.Unpacked:
        found = tnef.unpack(winmail(**more) + attribute(1, 0x9003, properties({(0x0102, 0x1009): packed(source)})))
        assert found
        return found

    assert with_rich(rb"{\rtf1 Bonjour}").text == "Bonjour"
    made = with_rich(rb"{\rtf1\fromhtml1 {\*\htmltag64 <b>}x{\*\htmltag72 </b>}}")
    assert (made.text, made.html) == ("x", "<b>x</b>")
    assert with_rich(rb"{\rtf1 other}", text="plain").text == "plain"
    assert with_rich(rb"{\rtf1\fromhtml1 y}", html="<p>x").html == "<p>x"


def test_messages_in_it_are_named_and_read() -> None:
    inner = winmail("Inner text") + attribute(1, 0x8004, b"Inner subject\0")
    outer = winmail("Outer") + attribute(2, 0x9002, bytes(14))
    outer += attribute(2, 0x9005, properties({(0x1E, 0x3001): b"Compte rendu\0", (0x0D, 0x3701): tnef._EMBEDDED + inner}))
    found = tnef.unpack(outer)
    assert found and [(file.name, file.is_message) for file in found.files] == [("Compte rendu.dat", True)]
    opened = tnef.message_at(outer, (1,))
    assert opened and (opened.text, opened.subject) == ("Inner text", "Inner subject")
    assert tnef.message_at(outer, (2,)) is None and tnef.message_at(outer, (1, 1)) is None
    assert tnef.message_at(outer, ()) == found

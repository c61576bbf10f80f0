"""Mbox: where messages begin and end, quoting, line ends; hostile files."""

from __future__ import annotations

import io
import mailbox
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats import mbox

ONE = b"From: a@x.example\nSubject: 1\n\nBonjour\n"


def read(raw: bytes) -> list[bytes]:
    file = io.BytesIO(raw)
    return [mbox.content(file, entry) for entry in mbox.entries(file)]


def test_messages_are_told_apart_and_get_crlf():
    raw = (
        b"From a@x.example Tue Mar  5 09:00:00 2019\n"
        + ONE
        + b"\nFrom b@x.example Tue Mar  5 09:00:00 2019\nFrom: b@x.example\n\n2\n"
    )
    assert read(raw) == [ONE.replace(b"\n", b"\r\n"), b"From: b@x.example\r\n\r\n2\r\n"]


def test_the_line_before_a_message_is_kept():
    [entry] = mbox.entries(io.BytesIO(b"From a@x.example Tue Mar  5 09:00:00 2019\r\n" + ONE))
    assert entry.separator == b"From a@x.example Tue Mar  5 09:00:00 2019"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (b">From here on\n", b"From here on\r\n"),
        (b">>From here on\n", b">From here on\r\n"),
        (b"> From a quotation\n", b"> From a quotation\r\n"),
        (b"text\n\nFrom the beginning it rained.\nAnd on.\n", b"text\r\n\r\nFrom the beginning it rained.\r\nAnd on.\r\n"),
        (b"text\nFrom a@x.example Tue Mar 5 2019\n", b"text\r\nFrom a@x.example Tue Mar 5 2019\r\n"),
    ],
)
def test_quoting_and_sentences_that_begin_with_from(written, read_as):
    assert read(b"From a@x.example Tue Mar  5 09:00:00 2019\nSubject: x\n\n" + written) == [b"Subject: x\r\n\r\n" + read_as]


def test_what_comes_before_the_first_message_does_not_count():
    assert read(b"\xef\xbb\xbfnothing\n\n") == []
    assert read(b"") == []


def test_a_message_without_text_and_one_without_anything():
    assert read(b"From a Tue Mar 5 2019\nSubject: x\n\nFrom b Tue Mar 5 2019\n\n") == [b"Subject: x\r\n", b"\r\n"]


def test_what_the_standard_library_writes_comes_back(tmp_path: Path):
    box = mailbox.mbox(tmp_path / "box")
    for number in range(50):
        box.add(f"Subject: {number}\n\nFrom me to you\n\nFrom: not a header\n>From before\n".encode())
    box.flush()
    found = read((tmp_path / "box").read_bytes())
    assert [raw.split(b"\r\n", 1)[0] for raw in found] == [f"Subject: {n}".encode() for n in range(50)]
    assert all(b"\r\nFrom me to you\r\n" in raw for raw in found)


@pytest.mark.parametrize(
    "raw",
    [
        b"From " * 400_000,
        b"From a\n\n" * 200_000,
        b"\n" * 1_000_000,
        b"From a\nA:" + b"x" * 3_000_000,
        b">" * 2_000_000 + b"From \n",
        (b"From " + b"Mon " * 5 + b"1:11" * 5 + b"1" * 12 + b" " * 65_000 + b"x\nA: b\n") * 100,
    ],
)
def test_hostile_files_are_read_in_linear_time(raw):
    with cpu_seconds(5):
        read(b"From a@x.example Tue Mar  5 09:00:00 2019\nSubject: x\n\n" + raw)

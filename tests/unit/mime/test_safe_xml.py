"""XML from outside: read within bounds, and bombs are refused before they swell."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from webmail.mime.safe_xml import XmlBounds, XmlRefusedError, parse

BOUNDS = XmlBounds(size=2_000_000, depth=12, elements=5_000, attributes=5, text=1_000)
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<!DOCTYPE a><a/>", "a document type"),
        (f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><a>&l9;</a>'.encode(), "a document type"),
        (f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}">]><a>{"&x;" * 100_000}</a>'.encode(), "a document type"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "a document type"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>', "a document type"),
        (b'<!DOCTYPE a [<!ENTITY % d SYSTEM "http://127.0.0.1/">%d;]><a/>', "a document type"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("utf-16"), "a document type"),
        (b"<a>" * 100_000, "too much of it"),
        (b"<r>" + b"<a/>" * 400_000, "too much of it"),
        (b"<a " + b" ".join(b"a%d=''" % number for number in range(20_000)) + b"/>", "too much of it"),
        (b"<a b='" + b"x" * 1_001 + b"'/>", "too long an attribute"),
        (b"<a>" + b"x" * 1_001 + b"</a>", "too long a text"),
        (b"<a>" + b"x<!-- -->" * 1_001 + b"</a>", "too long a text"),
        (b"<a>" + b" " * 2_000_000 + b"</a>", "too large"),
    ],
    ids=[
        "type", "laughs", "quadratic", "file", "type elsewhere", "parameter", "UTF-16", "deep", "wide", "attributes", "attribute",
        "text", "text in pieces", "large",
    ],
)  # fmt: skip
def test_bombs_are_refused_before_they_swell(content: bytes, why: str) -> None:
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(XmlRefusedError, match=why):
        parse(content, BOUNDS)
    assert time.process_time() - began < 0.5
    assert tracemalloc.get_traced_memory()[1] < 6_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        b"", b" ", b"\0", b"<a>", b"<a></b>", b"<a/><b/>", b"<a>&x;</a>", b"<x:a/>", b"<a b='1' b='2'/>", b"<?xml version='1.0'?>", b"\xff\xfe<\0",
        b"<?xml version='1.0' encoding='klingon'?><a/>", b"<?xml version='1.0' encoding='zip'?><a/>", b"<a>\xff</a>",
    ],
)  # fmt: skip
def test_what_is_no_xml_is_refused(content: bytes) -> None:
    with pytest.raises(XmlRefusedError, match="no XML"):
        parse(content, BOUNDS)


def test_names_texts_and_attributes_are_told() -> None:
    content = b"<D:a xmlns:D='DAV:' xmlns='x' D:b='1' c='&lt;'><d>e<!-- -->f</d><d/>g</D:a>"
    root = parse(content, BOUNDS)
    assert (root.tag, root.attrib) == ("{DAV:}a", {"{DAV:}b": "1", "c": "<"})
    assert [(one.tag, one.text, one.tail) for one in root] == [("{x}d", "ef", None), ("{x}d", None, "g")]
    plain = parse(content, BOUNDS, namespaces=False)
    assert (plain.tag, plain.attrib, [one.tag for one in plain]) == ("a", {"b": "1", "c": "<"}, ["d", "d"])


def test_an_encoding_is_believed_unless_the_reader_knows_better() -> None:
    declared = "<?xml version='1.0' encoding='iso-8859-1'?><a>é</a>"
    assert parse(declared.encode("latin-1"), BOUNDS).text == "é"
    assert parse(declared.encode(), BOUNDS, utf8=True).text == "é"
    for other in ("latin-1", "utf-16"):
        with pytest.raises(XmlRefusedError):
            parse(declared.encode(other), BOUNDS, utf8=True)


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(XmlRefusedError) as refused:
        parse(b"<a>\n<b>\n</a>", BOUNDS)
    assert refused.value.line == 3
    with pytest.raises(XmlRefusedError) as refused:
        parse(b"\n<!DOCTYPE a><a/>", BOUNDS)
    assert refused.value.line == 2


def test_as_much_as_the_bounds_allow_is_read() -> None:
    assert len(parse(b"<r>" + b"<a/>" * 4_999 + b"</r>", BOUNDS)) == 4_999
    assert parse(b"<a>" * 12 + b"</a>" * 12, BOUNDS).tag == "a"
    assert len(parse(b"<a>" + b"x" * 1_000 + b"</a>", BOUNDS).text or "") == 1_000

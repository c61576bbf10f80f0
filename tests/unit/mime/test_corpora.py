"""Public collections of odd messages and hostile HTML, when they lie beside the checkout or TRABOULE_CORPORA names them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.support.html_inspection import Inspection
from webmail.mime import structure
from webmail.mime.headers import headers
from webmail.mime.html import quoted_html
from webmail.mime.html.sanitizer import clean
from webmail.mime.text import plain_text

_FOLDER = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
_MESSAGES = sorted(f for f in _FOLDER.glob("mime-*/**/*") if f.is_file() and f.suffix in (".eml", ".txt", ".msg"))
_SNIPPETS = sorted(_FOLDER.glob("xss-*/**/*.html"))

pytestmark = pytest.mark.skipif(not (_MESSAGES and _SNIPPETS), reason="no corpora beside the checkout or in TRABOULE_CORPORA")


def test_every_message_is_read_within_two_seconds():
    for file in _MESSAGES:
        raw = file.read_bytes()
        with cpu_seconds(2, file):
            headers.envelope(raw)
            found = structure.classify(structure.from_bytes(raw))
            assert found.all, file
            for part in found.all:
                assert part.filename == "" or "/" not in part.filename
                data = structure.content(raw, part.section)
                plain_text.decode_transfer(data, part.encoding)
                decoded = plain_text.decode_text(data, part.encoding, part.charset)
                decoded.encode("utf-8")
                if part.type == "text/html":
                    assert Inspection(clean(decoded, lambda cid: None).html).faults == [], file
                    plain_text.html_to_text(decoded)
                elif part.type == "text/plain":
                    plain_text.to_html(decoded, flowed=part.format == "flowed", delsp=part.delsp)
                    plain_text.unflow(plain_text.flow(plain_text.quote(decoded)))


def test_no_subject_is_lost():
    for file in _MESSAGES:
        raw = file.read_bytes()
        subject = headers.fields(raw).get("subject", [b""])[0]
        assert bool(headers.decode(subject)) == bool(subject.strip()) or b"=?" in subject, file


def test_nothing_active_is_left_of_any_snippet():
    for file in _SNIPPETS:
        html = file.read_text("utf-8", "replace")
        with cpu_seconds(2, file):
            result = clean(html, lambda cid: "/part/1")
        assert Inspection(result.html).faults == [], file
        assert Inspection(clean(result.html, lambda cid: "/part/1").html).faults == [], (
            file
        )  # a second parse changes nothing for the worse


def test_nothing_active_is_left_of_any_snippet_below_an_answer():
    for file in _SNIPPETS:
        html = file.read_text("utf-8", "replace")
        kept = quoted_html.answered("Bob wrote:", quoted_html.cleaned(html, lambda cid: None, remote=False))
        as_shown = re.sub(r'(?:mailto:[^"]*|#?q-[^"]*)"', '#m-x"', kept)  # links as mail has them
        faults = [fault for fault in Inspection(as_shown).faults if "#m-x" not in fault]
        assert faults == [], file
        assert kept.count("<blockquote style") == 1 and kept.endswith("</blockquote>") and "<style" not in kept, file
        assert quoted_html.found_in(f"{quoted_html.marked(kept)}</body>") == kept, file

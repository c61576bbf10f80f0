"""The public samples of calendars and cards, as a device would send them: kept byte for byte, or refused with a reason, at once.

A sixth of the calendars; all of them with `TRABOULE_DAV_WHOLE=1`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.unit.dav.conftest import Phone, event
from tests.unit.dav.test_requests import book_query, calendar_query

CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).resolve().parents[4] / "shared" / "corpora"))
KINDS = {"calendar": ("ics-*/**/*.ics", "all/{}.ics"), "book": ("vcf-*/**/*.vcf", "contacts/{}.vcf")}
_EXPAND = "<C:calendar-data><C:expand start='20150101T000000Z' end='20150301T000000Z'/></C:calendar-data>"
_WORDS = "<C:prop-filter name='SUMMARY'><C:text-match>e</C:text-match></C:prop-filter>"


def _with_uid(body: bytes, number: int) -> bytes:
    """A card of its own: old programs gave none a UID, devices do."""
    has = re.search(rb"^UID[;:]", body, re.MULTILINE) or not body.startswith(b"BEGIN:VCARD")
    return body if has else body.replace(b"\n", b"\nUID:sample-%d\r\n" % number, 1)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no samples: set TRABOULE_CORPORA")
@pytest.mark.parametrize("kind", KINDS)
def test_each_is_kept_or_refused_with_a_reason(phone: Phone, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    pattern, place = KINDS[kind]
    samples = sorted(CORPORA.glob(pattern))[:: 1 if os.environ.get("TRABOULE_DAV_WHOLE") or kind == "book" else 6]
    assert phone.ask("MKCALENDAR", "all/").status_code == 201
    phone.put("calendar/first.ics", event("first", "RRULE:FREQ=DAILY"))  # has the library imported
    answers: Counter[str] = Counter()
    for number, sample in enumerate(samples):
        body, path = _with_uid(sample.read_bytes(), number), place.format(number)
        with cpu_seconds(1.0, sample.name):
            answer = phone.put(path, body)
        assert answer.status_code in (201, 400, 403, 409, 413, 507), (sample.name, answer.status_code)
        answers[f"{answer.status_code} {''.join(re.findall(r'<[A-Z]+:([a-z-]+) ?/>', answer.text))}".strip()] += 1
        if answer.status_code == 201:
            assert phone.ask("GET", path).data == body, sample.name
        else:
            assert answer.text.strip(), sample.name
    assert answers["201"] > len(samples) / 4
    # none of them spoils a question about others
    if kind == "calendar":
        for asked in (
            calendar_query("VEVENT", _WORDS),
            calendar_query("VEVENT", "<C:time-range start='20150101T000000Z' end='20150301T000000Z'/>", _EXPAND),
        ):
            with cpu_seconds(10):
                assert phone.ask("REPORT", "all/", asked).status_code == 207
    else:
        asked = book_query("<R:prop-filter name='FN'><R:text-match>o</R:text-match></R:prop-filter>")
        assert phone.ask("REPORT", "contacts/", asked).text.count("<href>") > 3

"""The benchmarks' own arithmetic: a wrong figure is worse than none."""

import email
import math
from datetime import UTC, datetime
from email.policy import default

from tests.bench.letters import ATTACHED, NEWSLETTER, PLAIN, letter
from tests.bench.numbers import in_turn, percentile
from tests.bench.proxy import Exchange
from tests.bench.replay import last_tag
from tests.bench.table import OURS, Figure, Table, shown
from tests.bench.visitor import fields, frames


def test_a_percentile_is_one_of_the_values():
    assert percentile([5, 1, 3, 2, 4], 50) == 3
    assert percentile([1, 2, 3, 4], 95) == 4
    assert math.isnan(percentile([], 50))


def test_things_measured_in_turn_leave_the_warming_up_out():
    calls = iter(range(100))
    first, second = in_turn(lambda: next(calls), lambda: next(calls), times=2, warm=1)
    assert (first, second) == ([2, 4], [3, 5])


def test_the_same_number_gives_the_same_letter():
    assert all(letter(back, "a@lycee.example") == letter(back, "a@lycee.example") for back in (0, 1, 2, 70))


def test_the_newest_letters_are_a_plain_one_a_newsletter_and_one_with_files():
    plain, news, files = (email.message_from_bytes(letter(back, "a@lycee.example").content, policy=default) for back in range(3))
    assert [m["Subject"] for m in (plain, news, files)] == [PLAIN, NEWSLETTER, ATTACHED]
    assert len(news.get_body(("html",)).get_content()) > 60_000
    assert [part.get_filename() for part in files.iter_attachments()] == ["compte-rendu.pdf", "photo.jpg"]


def test_an_answer_ends_at_the_tag_of_its_last_command():
    assert last_tag(b"* 1 EXISTS\r\nA1 OK done\r\n* BYE?\r\nA2 OK both\r\n") == b"A2"
    assert last_tag(b"A7 OK NOOP completed\r\n") == b"A7"


def test_signing_in_is_told_from_reading():
    assert Exchange(1, b"A1 AUTHENTICATE OAUTHBEARER\r\n").signs_in
    assert Exchange(1, b"bixhPWE=\r\n").signs_in  # the answer to the server's "+"
    assert not Exchange(1, b"A2 SELECT INBOX\r\n").signs_in


def test_a_row_says_whether_its_aim_is_met():
    table = Table(datetime(2026, 1, 1, tzinfo=UTC), {})
    table.add(OURS, "Size", "page", Figure(14.0), "KiB", 14)
    table.add(OURS, "Size", "requests", Figure(7), "", 6)
    table.add("Roundcube", "Size", "requests", Figure(28), "", 6)
    assert table.missed == ["requests"]
    assert "| requests | 7 | 6 | NO | 28 |" in table.markdown()


def test_figures_are_shown_with_three_digits():
    assert [shown(1234.5, "ms"), shown(12.34), shown(1.234), shown(math.nan)] == ["1,234 ms", "12.3", "1.23", "-"]


def test_a_form_and_a_frame_are_found_in_a_page():
    page = '<input name="csrf_token" value="a&amp;b"><iframe src="/body/1/INBOX?v=2"></iframe>'
    assert (fields(page), frames(page)) == ({"csrf_token": "a&b"}, ["/body/1/INBOX?v=2"])

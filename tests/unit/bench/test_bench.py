"""The benchmarks' own arithmetic: a wrong figure is worse than none."""

import email
import math
import smtplib
import subprocess
import sys
from datetime import UTC, datetime
from email.policy import default

import pytest

from tests.bench.letters import ATTACHED, NEWSLETTER, PLAIN, conversation, large_letter, letter
from tests.bench.machine import growth
from tests.bench.numbers import in_turn, percentile
from tests.bench.proxy import Exchange
from tests.bench.replay import last_tag
from tests.bench.sink import Sink
from tests.bench.table import OURS, Figure, Table, put_into, shown
from tests.bench.visitor import action, fields, frames, untouched


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
    assert 100_000 < len(news.get_body(("html",)).get_content()) < 110_000
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


def test_the_large_letter_has_20_megabytes_and_a_conversation_is_one():
    whole = large_letter("a@lycee.example")
    assert 20_000_000 < len(whole.content) < 21_000_000
    assert whole == large_letter("a@lycee.example")
    first, second, third = (email.message_from_bytes(one.content) for one in conversation(7, 3, "a@lycee.example"))
    assert (first["References"], second["In-Reply-To"], third["In-Reply-To"]) == (None, first["Message-ID"], second["Message-ID"])
    assert third["References"].split() == [first["Message-ID"], second["Message-ID"]]


def test_the_table_takes_its_place_in_a_document_and_nothing_else_changes(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("before\n<!-- table: begin -->\nold\n<!-- table: end -->\nafter\n")
    put_into(document, "| new |\n")
    put_into(document, "| newer |\n")
    assert document.read_text() == "before\n<!-- table: begin -->\n\n| newer |\n\n<!-- table: end -->\nafter\n"
    document.write_text("no marks")
    with pytest.raises(ValueError, match="no place"):
        put_into(document, "| new |")


def test_a_form_is_sent_as_a_browser_would_send_it_untouched():
    page = """<input name="query" value="of another form"><form class="f" action="/go"><input name="to" value="a">
    <input type="checkbox" name="off" value="1"><input type="checkbox" name="on" value="1" checked><input type="file" name="file">
    <select name="size"><option value="s">S</option><option value="m" selected>M</option></select><button name="action">Go</button>
    <textarea name="body">a&amp;b</textarea></form>"""
    assert untouched(page, "form.f") == {"to": "a", "on": "1", "size": "m", "body": "a&b"}
    assert action(page, "form.f") == "/go"


def test_the_sink_takes_mail_and_counts_it():
    with Sink() as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        client.login("anybody", "anything")
        client.sendmail("a@x.example", ["b@x.example"], b"Subject: s\r\n\r\n.dot\r\n")
        assert sink.wait(1)[1] == len("Subject: s\r\n\r\n..dot\r\n")


def test_growth_is_the_highest_there_was():
    # a process of its own: one that had freed as much already takes it again without growing
    code = "print(flush=True); input(); block = bytearray(b'x') * 30_000_000; del block; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin and child.stdout
        child.stdout.readline()  # what Python takes to start is not its growth
        with growth([child.pid]) as grown:
            child.stdin.write(b"\n")
            child.stdin.flush()
            child.stdout.readline()
        child.communicate(b"\n")
    assert 28_000 < grown.peak < 60_000
    assert grown.kept < 10_000

"""The benchmark of large mailboxes: its sizes, its mail and its table."""

import email
import json
from datetime import UTC, datetime
from email.policy import default

import pytest

from tests.bench.large_mail import RARE, RARE_SENDER, RARE_WORD, TALK, letters, talk_places
from tests.bench.large_table import LargeTable, Timing, sizes
from tests.bench.table import put_into

TO = "a@lycee.example"


def test_the_largest_may_be_another_and_all_three_differ():
    assert sizes() == sizes("1000000") == (1_000, 100_000, 1_000_000)
    assert sizes("100000") == (1_000, 10_000, 100_000)
    assert sizes("5,000") == (1_000, 1_001, 5_000)
    for wanted in ("100", "many"):
        with pytest.raises(ValueError):
            sizes(wanted)


def test_what_is_searched_for_is_as_rare_in_each_mailbox():
    for total in (1_000, 3_000):
        found = [letter.content for letter in letters(total, TO)]
        assert (
            sum(f"<{RARE_SENDER}>".encode() in content.partition(b"\r\nTo:")[0].rpartition(b"From:")[2] for content in found)
            == RARE
        )
        assert sum(RARE_WORD.encode() in content for content in found) == RARE


def test_a_letter_answers_earlier_ones_of_its_conversation():
    found = [email.message_from_bytes(letter.content, policy=default) for letter in letters(1_000, TO)]
    ids = [message["Message-ID"] for message in found]
    assert len({*ids}) == 1_000
    answers = [(place, message) for place, message in enumerate(found) if message["In-Reply-To"]]
    assert 300 < len(answers) < 500
    for place, message in answers:
        assert ids.index(message["In-Reply-To"]) < place and message["References"].split()[-1] == message["In-Reply-To"]
    talk = talk_places(1_000)
    assert [ids.index(found[place]["In-Reply-To"]) for place in talk[1:]] == talk[:-1] and len(talk) == TALK
    others = [message for place, message in answers if place not in talk]
    assert not {message["In-Reply-To"] for message in others} & {ids[place] for place in talk}


def table() -> LargeTable:
    made = LargeTable(datetime(2026, 1, 1, tzinfo=UTC), {"memory": "1 GiB"}, (10, 100), ["Busy."])
    made.add("list", "Traboule", 10, Timing([4.0, 2.0, 900.0]))
    made.add("list", "Traboule", 100, Timing([8.0], grown=1.5))
    made.add("list", "Roundcube", 10, Timing([16.0]))
    made.add("list", "Roundcube", 100, Timing([], "504"))
    made.add("conversation", "Traboule", 10, Timing([3.0]))
    return made


def test_the_table_has_medians_and_both_ratios_and_says_where_there_was_no_answer():
    lines = table().markdown().splitlines()
    assert lines[2] == (
        "| ms | Traboule 10 | Traboule 100 | 100 / 10 | Roundcube 10 | Roundcube 100 "
        "| Traboule / Roundcube, 10 | Traboule / Roundcube, 100 | memory, MiB |"
    )
    assert lines[4] == "| list | 4 | 8 | 2 | 16 | 504 | 0.25 |  | 1.50 |"
    assert lines[5] == "| conversation | 3 |  |  |  |  |  |  |  |"
    assert lines[-1] == "- Busy."


def test_the_files_hold_every_single_time(tmp_path):
    for file in table().write(tmp_path):
        assert file.exists()
    plain = json.loads((tmp_path / "large.json").read_text())
    assert plain["rows"]["list"][0] == {
        "webmail": "Traboule", "messages": 10, "ms": [4.0, 2.0, 900.0], "trouble": "", "memory_mib": None
    }  # fmt: skip


def test_its_marks_in_a_document_are_its_own(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- large: begin -->\nold\n<!-- large: end -->\n<!-- table: begin -->\nkept\n<!-- table: end -->\n")
    put_into(page, "| new |\n", "large")
    assert "old" not in page.read_text() and "| new |" in page.read_text() and "\nkept\n" in page.read_text()

"""How a message names its large files: where the block stands, and that it is found again, whatever else the text says."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.large_files import large_files, link_block
from webmail.compose.large_files.link_block import LinkBlock
from webmail.mime.text import plain_text
from webmail.models import Transfer
from webmail.transfers import store

SHA = "ab" * 32


def block_of(transfer, settings, *names):
    token = store.link_token(transfer, settings)
    files = "".join(f"• {name} (1 GB)\n  SHA-256: {SHA}\n" for name in names)
    return LinkBlock(
        f"1 large file (1 GB), available until Friday:\nhttps://mail.lycee.example/t/{token}\n\n{files}", "<table></table>"
    )


@pytest.fixture
def transfer(alice, settings):
    return store.create(alice, settings, draft_id="d" * 32)


@pytest.mark.parametrize(
    ("body", "above"),
    [
        ("Voici.", "Voici."),
        ("", ""),
        ("Voici.\n\n-- \nAlice, edited\n", "Voici."),
        ("Voici.\n\nLe 3 mai, Bob a écrit :\n> et ?\n", "Voici."),
        ("Voici.\n\n-- \nAlice\n\nLe 3 mai, Bob a écrit :\n> et ?\n", "Voici."),
        ("Voici.\n\n-------- Message transféré --------\nDe : Bob\n", "Voici."),
        ("> et ?\n\nVoici.\n", "> et ?\n\nVoici."),
    ],
)
def test_it_stands_where_the_writer_s_own_words_end(alice, settings, transfer, body, above):
    row = drafts.new(alice, Fields(body=body))
    block = block_of(transfer, settings, "film.mp4")
    placed = link_block.placed(row, block)
    text = draft_message.text_with_block(placed.body, placed)
    assert text.startswith(f"{above}\n\n{block.text}".lstrip("\n").rstrip("\n"))
    assert placed.word not in text
    rest = text.replace(block.text.rstrip("\n"), "")
    assert rest.split() == body.split()


@pytest.mark.parametrize("body", ["Voici.", "", "a\n\n> b\n\nc", "x\n\n-- \ny"])
@pytest.mark.parametrize("names", [("film.mp4",), ("a b (2).mp4", "été " * 60, "c")])
def test_it_is_found_again_after_its_way_through_the_mail(alice, bob, settings, transfer, body, names):
    row = drafts.new(alice, Fields(body=body))
    placed = link_block.placed(row, block_of(transfer, settings, *names))
    sent = plain_text.unflow(plain_text.flow(draft_message.text_with_block(placed.body, placed)))
    text, found = link_block.found_in(sent, alice)
    assert [one.id for one in found] == [transfer.id]
    assert text.split() == body.split() and "SHA-256" not in text
    assert link_block.found_in(sent, bob) == (sent, []), "another person's link is words as any"


@pytest.mark.parametrize(
    "text", ["see https://x.example/t/" + "a" * 27, "• a\n• b\n", f"x:\nhttps://x/t/{'a' * 27}\n\n• y\n", "/t/"]
)
def test_words_that_look_alike_stay(alice, text):
    assert link_block.found_in(text, alice) == (text, [])


@pytest.mark.parametrize("text", ["a:" * 40_000 + "/t/", "\n" * 80_000 + "/t/", "https://x/t/" + "/t/" * 20_000])
def test_a_hostile_text_takes_no_time(alice, text):
    with cpu_seconds(2):
        assert link_block.found_in(text, alice) == (text, [])


def test_two_of_them_are_found_and_what_stands_between_stays(alice, settings, transfer):
    block = block_of(transfer, settings, "film.mp4").text
    text, found = link_block.found_in(f"a\n\n{block}\nb\n\n{block}", alice)
    assert (text.split(), len(found)) == (["a", "b"], 2)


def test_html_has_it_in_its_place_or_below_what_is_shown_as_typed(alice, settings, transfer):
    row = drafts.new(alice, Fields(body="```\nnever closed"))
    placed = link_block.placed(row, block_of(transfer, settings, "film.mp4"))
    inside = f"<body><div><p>a</p>\n<p>{placed.word}</p>\n<p>b</p></div>below</body>"
    assert draft_message.html_with_block(inside, placed) == "<body><div><p>a</p>\n<table></table><p>b</p></div>below</body>"
    as_typed = f"<div><pre>a {placed.word}</pre></div><div>z</div>"
    below = "<div><pre>a </pre><table></table></div><div>z</div>"
    assert draft_message.html_with_block(as_typed, placed) == below


def test_what_is_published_is_no_draft_s_any_more(alice, settings, transfer):
    large_files.publish(transfer, large_files.until(drafts.new(alice), settings), "Le film", settings)
    large_files.drop("d" * 32, settings)
    assert Transfer.get_by_id(transfer.id).state == "ready"
    large_files.drop("d" * 32, settings, also_published=True)
    assert Transfer.get_by_id(transfer.id).state == "closed"
    with pytest.raises(large_files.FilesStoppedError):
        large_files.publish(transfer, transfer.expires, "", settings)

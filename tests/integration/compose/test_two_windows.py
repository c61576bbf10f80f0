"""One draft in two windows: nobody's text is overwritten, and one window alone is never bothered."""

from __future__ import annotations

from tests.support.compose_form import FORM, file, text_of, value_of, write
from webmail.compose.outbox import spool
from webmail.models import DraftRow, Outbox


def texts():
    return sorted(row.body for row in DraftRow.select())


def two_windows(person, **fields):
    """A saved draft, opened twice: (its window, the other window)."""
    first = write(person, **{"subject": "s", "body": "begun", "action": "save", **fields})
    return first, person.get(first.one(FORM)["action"])


def test_the_older_text_becomes_a_draft_of_its_own(alice, stored):
    first, second = two_windows(alice, attachments=file())
    alice.submit(second, FORM, body="newer", action="save")
    page = alice.submit(first, FORM, body="older", action="save")
    assert "changed in another window" in page.notices
    assert text_of(page) == "older"
    assert "liste.pdf" in page.text
    assert page.one(FORM)["action"] != first.one(FORM)["action"]
    other = alice.get(page.link("Open the other draft"))
    assert (other.one(FORM)["action"], text_of(other)) == (first.one(FORM)["action"], "newer")
    assert sorted(m.get_body().get_content().strip() for m in stored(alice, "Drafts")) == ["newer", "older"]
    again = alice.submit(page, FORM, body="older, gone on with", action="save")
    assert "another window" not in again.notices
    assert texts() == ["newer", "older, gone on with"]


def test_nothing_is_sent_from_the_older_window(alice, bob):
    first, second = two_windows(alice, to=bob.address)
    alice.submit(second, FORM, body="newer", action="save")
    page = alice.submit(first, FORM, body="older", action="send", htmx="main")
    assert Outbox.select().count() == 0
    assert "Nothing was overwritten or sent" in page.text
    assert text_of(page) == "older"
    assert value_of(page, "to") == bob.address
    alice.submit(page, FORM, action="send")
    assert Outbox.get().draft == page.one(FORM)["action"].rpartition("/")[2]


def test_an_autosave_overwrites_nothing_and_says_where_its_text_is(alice):
    first, second = two_windows(alice)
    alice.submit(second, FORM, body="newer", action="autosave", htmx="saved")
    for text in ("ol", "older"):
        saved = alice.submit(first, FORM, body=text, action="autosave", htmx="saved")
        assert "another window" in saved.one("#saved").get_text()
        own = saved.one("#saved a")["href"]
        assert saved.headers["HX-Replace-Url"] == own != first.one(FORM)["action"]
    assert texts() == ["newer", "older"]
    assert text_of(alice.get(own)) == "older"
    kept = alice.submit(first, FORM, body="older, and done", action="save")
    assert kept.one(FORM)["action"] == own
    assert texts() == ["newer", "older, and done"]


def test_a_page_that_is_left_overwrites_nothing(alice, stored):
    first, second = two_windows(alice)
    alice.submit(second, FORM, body="newer", action="save")
    assert alice.submit(first, FORM, body="older", action="autosave").status == 204
    assert texts() == ["newer", "older"]
    assert len(stored(alice, "Drafts")) == 2


def test_a_window_in_which_nothing_was_typed_shows_the_latest_text(alice, bob):
    first, second = two_windows(alice, to=bob.address)
    alice.submit(second, FORM, body="newer", action="save")
    page = alice.submit(first, FORM, action="send")
    assert "latest version" in page.notices
    assert text_of(page) == "newer"
    assert (DraftRow.select().count(), Outbox.select().count()) == (1, 0)


def test_discarding_in_the_older_window_keeps_the_newer_text(alice):
    first, second = two_windows(alice)
    alice.submit(second, FORM, body="newer", action="save")
    asked = alice.submit(first, FORM, body="older", action="discard-now")
    assert asked.one("#discarding")
    alice.submit(asked, FORM, action="discard-now")
    assert texts() == ["newer"]


def test_a_file_attached_in_the_older_window_goes_to_its_own_draft(alice):
    first, second = two_windows(alice)
    alice.submit(second, FORM, body="newer", action="save")
    moved = alice.submit(first, FORM, body="older", attachments=file(), action="attach", htmx="attachments")
    page = alice.get(moved.headers["HX-Redirect"])
    assert (text_of(page), "liste.pdf" in page.text) == ("older", True)
    assert "another window" in page.notices
    assert "liste.pdf" not in alice.get(first.one(FORM)["action"]).text


def test_files_alone_are_nobody_s_conflict(alice):
    first, second = two_windows(alice)
    alice.submit(second, FORM, attachments=file("a.pdf"), action="attach")
    page = alice.submit(first, FORM, attachments=file("b.pdf", b"b"), body="text", action="save")
    assert "another window" not in page.notices
    assert "a.pdf" in page.text and "b.pdf" in page.text
    assert texts() == ["text"]


def test_requests_of_one_window_may_cross(alice):
    """The form never heard the answers to what it sent: the browser went on before they came."""
    page = alice.get("/compose")
    for text in ("t", "te", "tex", "te", "text"):
        assert alice.submit(page, FORM, body=text, action="autosave", htmx="saved").all("#saved a") == []
    alice.submit(page, FORM, body="text!", action="autosave")
    saved = alice.submit(page, FORM, body="text!!", action="save")
    assert "another window" not in saved.notices
    before = alice.submit(page, FORM, to="bob@x.example", subject="s", body="gone back to the page before", action="save")
    assert "another window" not in before.notices
    alice.submit(before, FORM, action="send")
    assert Outbox.select().count() == 1
    assert texts() == ["gone back to the page before"]


def test_what_autosave_answers_names_the_text_it_saved(alice):
    page = alice.get("/compose")
    assert value_of(page, "revision") == ""
    saved = alice.submit(page, FORM, body="text", action="autosave", htmx="saved")
    again = alice.get(page.one(FORM)["action"])
    assert value_of(saved, "revision") == value_of(again, "revision") != ""
    assert value_of(again, "writer") != value_of(page, "writer")


def while_it_is_built(monkeypatch, happens):
    """Have something happen once, while the next message is built."""
    built = spool.built

    def slowly(*args, **named):
        monkeypatch.undo()
        happens()
        return built(*args, **named)

    monkeypatch.setattr(spool, "built", slowly)


def test_a_text_that_another_window_saves_while_the_message_is_built_is_not_lost(alice, bob, monkeypatch):
    first, second = two_windows(alice, to=bob.address)
    while_it_is_built(monkeypatch, lambda: alice.submit(second, FORM, body="newer", action="autosave", htmx="saved"))
    page = alice.submit(first, FORM, action="send")  # the text that both were shown with
    assert "changed in another window" in page.notices and Outbox.select().count() == 0
    assert texts() == ["begun", "newer"]


def test_an_older_autosave_of_the_window_that_sends_changes_nothing(alice, bob, monkeypatch):
    first, _second = two_windows(alice, to=bob.address)
    while_it_is_built(monkeypatch, lambda: alice.submit(first, FORM, body="beg", action="autosave", htmx="saved"))
    alice.submit(first, FORM, body="begun and done", action="send")
    assert b"begun and done" in bytes(Outbox.get().content)


def test_a_file_that_comes_while_the_message_is_built_is_not_left_out(alice, bob, monkeypatch):
    first, second = two_windows(alice, to=bob.address)
    while_it_is_built(monkeypatch, lambda: alice.submit(second, FORM, action="attach", attachments=file()))
    page = alice.submit(first, FORM, action="send")
    assert "liste.pdf" in page.text and "changed in another window" in page.notices and Outbox.select().count() == 0
    alice.submit(page, FORM, action="send")
    assert Outbox.select().count() == 1

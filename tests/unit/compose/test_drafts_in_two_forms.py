"""Two forms of one draft: what one wrote, the other does not overwrite."""

import pytest

from webmail.compose.attachments import attachments
from webmail.compose.drafts import drafts
from webmail.compose.drafts.drafts import DraftChangedElsewhereError
from webmail.compose.drafts.fields import Fields, fields_of, revision_of

ONE, TWO = "1" * 32, "2" * 32


def begun(alice, writer=ONE):
    row = drafts.store(alice, drafts.new_id(), Fields(body="begun"), writer=writer)
    return row, revision_of(fields_of(row))


def test_another_form_writes_only_on_what_it_has_seen(alice):
    row, seen = begun(alice)
    drafts.store(alice, row.id, Fields(body="two"), writer=TWO, began_from=seen)
    with pytest.raises(DraftChangedElsewhereError) as raised:
        drafts.store(alice, row.id, Fields(body="one"), writer=ONE, began_from=seen)
    assert raised.value.row.body == drafts.load(alice, row.id).body == "two"


def test_a_form_writes_on_what_it_wrote_itself(alice):
    row, _ = begun(alice)
    for text in ("a", "b", "a"):
        drafts.store(alice, row.id, Fields(body=text), writer=ONE, began_from="")
    assert drafts.load(alice, row.id).body == "a"


def test_what_arrives_late_does_not_overwrite_what_was_typed_later(alice):
    name = "a" * 16
    row = drafts.store(alice, drafts.new_id(), Fields(body="a"), writer=name, revision=1)
    for turn, text, kept in ((3, "a b c", "a b c"), (2, "a b", "a b c"), (4, "a", "a"), (3, "a b c", "a"), (0, "x", "x")):
        drafts.store(alice, row.id, Fields(body=text), writer=name, revision=turn)
        assert drafts.load(alice, row.id).body == kept, turn


def test_the_same_text_again_has_its_turn(alice):
    name = "a" * 16
    row = drafts.store(alice, drafts.new_id(), Fields(body="a"), writer=name, revision=1)
    drafts.store(alice, row.id, Fields(body="a"), writer=name, revision=3)
    drafts.store(alice, row.id, Fields(body="a b"), writer=name, revision=2)
    row = drafts.load(alice, row.id)
    assert (row.body, drafts.last_turn(row), drafts.was_stored_by(row, name)) == ("a", 3, True)


def test_a_turn_is_kept_where_the_column_has_room(alice):
    longest = drafts.store(alice, drafts.new_id(), Fields(body="a"), writer="a" * 16, revision=10**15 - 1)
    assert len(longest.writer) <= 32 and drafts.last_turn(longest) == 10**15 - 1
    assert drafts.store(alice, drafts.new_id(), Fields(body="a"), writer=ONE, revision=1).writer == ONE


def test_a_form_kept_apart_is_found_by_its_name_beside_its_turn(alice, settings):
    row, _ = begun(alice)
    own = drafts.apart(row, Fields(body="t"), "a" * 16, settings)
    drafts.store(alice, own.id, Fields(body="te"), writer="a" * 16, revision=7)
    assert drafts.apart(row, Fields(body="text"), "a" * 16, settings).id == own.id


def test_the_same_text_is_no_conflict(alice):
    row, _ = begun(alice)
    assert drafts.store(alice, row.id, Fields(body="begun\r\n".strip()), writer=TWO, began_from="").id == row.id


def test_a_form_without_a_name_overwrites_no_other(alice):
    row, _ = begun(alice)
    with pytest.raises(DraftChangedElsewhereError):
        drafts.store(alice, row.id, Fields(body="nameless"))


def test_a_form_that_writes_in_the_same_moment_is_seen(alice, monkeypatch):
    """The other's text arrives between our look at the row and our writing."""
    row, seen = begun(alice)
    touch = drafts.touch

    def late(mine, *still, **values):
        monkeypatch.setattr(drafts, "touch", touch)
        drafts.store(alice, row.id, Fields(body="two"), writer=TWO, began_from=seen)
        return touch(mine, *still, **values)

    monkeypatch.setattr(drafts, "touch", late)
    with pytest.raises(DraftChangedElsewhereError):
        drafts.store(alice, row.id, Fields(body="three"), writer="3" * 32, began_from=seen)
    assert drafts.load(alice, row.id).body == "two"


def test_what_may_not_overwrite_is_kept_apart_once_for_each_form(alice, settings):
    row, _ = begun(alice)
    attachments.add(row, [b"bytes"], "a.txt", "", settings)
    own = drafts.apart(row, Fields(body="t"), TWO, settings)
    again = drafts.apart(row, Fields(body="text"), TWO, settings)
    assert own.id == again.id != row.id
    assert [a.filename for a in own.attachments] == ["a.txt"]
    assert drafts.load(alice, own.id).body == "text"
    assert drafts.apart(row, Fields(body="x"), "3" * 32, settings).id not in (row.id, own.id)


def test_a_draft_that_left_takes_no_more_text(here, alice, settings):
    row, _ = begun(alice)
    own = drafts.apart(row, Fields(to="bob@x.example", body="t"), TWO, settings)
    here.enqueue(own)
    assert drafts.apart(row, Fields(body="late"), TWO, settings).id != own.id
    assert drafts.untouched(alice, fields_of(own)) is None


def test_files_do_not_change_the_revision(alice, settings):
    row, seen = begun(alice)
    attachments.add(row, [b"bytes"], "a.txt", "", settings)
    assert revision_of(fields_of(drafts.load(alice, row.id))) == seen

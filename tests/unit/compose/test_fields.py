"""What a draft keeps of what a form sent."""

from webmail.compose.drafts import drafts
from webmail.compose.drafts.fields import Fields, bounded_references


def test_what_a_form_can_t_mean_is_not_kept(alice):
    row = drafts.new(alice, Fields(format="html", priority="urgent", language='fr" onload="x'))
    assert (row.format, row.priority, row.language) == ("", "", "")


def test_a_header_field_is_one_line_and_the_text_has_lf(alice):
    row = drafts.new(alice, Fields(subject="a\r\nBcc: eve@x.example", to="a@x.example\nb@x.example", body="1\r\n2\r3\0"))
    assert row.subject == "a Bcc: eve@x.example"
    assert row.to == "a@x.example b@x.example"
    assert row.body == "1\n2\n3"


def test_only_message_ids_are_kept_as_such(alice):
    row = drafts.new(
        alice, Fields(in_reply_to="x <a@b> <c@d>\r\nEvil: 1", references="<a@b> junk <c@d>", source_flag="\\Deleted")
    )
    assert (row.in_reply_to, row.references, row.source_flag) == ("<c@d>", "<a@b> <c@d>", "")


def test_a_long_thread_keeps_its_first_and_its_last_messages():
    ids = [f"<{i}@x>" for i in range(100)]
    assert bounded_references(ids) == ["<0@x>", *ids[-29:]]

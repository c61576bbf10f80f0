"""Blocked and safe senders, filters from messages and searches, and what is suggested, on a real Pigeonhole."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.support.contact_pages import add
from tests.support.messages import message
from webmail import imap, managesieve
from webmail.errors import OverQuotaError
from webmail.filters import junk_weeks, own_script, store
from webmail.filters.own_script import ScriptPart
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import ActionKind, FilterRule, RuleAction, to_json
from webmail.filters.senders import safe_copy, sender_change
from webmail.filters.senders.senders import SenderLists
from webmail.imap.mailbox_list import metadata
from webmail.models import User

SPAM = {"X-Spam-Flag": "YES"}


@pytest.fixture
def account(person, account_of):
    return account_of(person.address)


def typed(person, sender: str, where: str):
    return person.submit(person.get("/filters/senders"), "#sender-form", sender=sender, action=where)


def button(page, words: str) -> dict[str, str]:
    """The fields that the button of this name sends with the form it is in."""
    found = next(one for one in page.all("main button[name=action]") if one.get_text(strip=True) == words)
    form = found.find_parent("form")
    return {"url": form["action"], "action": found["value"]} | {
        one["name"]: one.get("value", "") for one in form.select("input[type=hidden]")
    }


def press(person, page, words: str):
    fields = button(page, words)
    return person.post(fields.pop("url"), fields)


def inside(imap_of, person, mailbox: str) -> set[str]:
    client = imap_of(person.address)
    client.select_folder(mailbox, readonly=True)
    return {one[b"ENVELOPE"].subject.decode() for one in client.fetch(client.search(), ["ENVELOPE"]).values()}


def lists(account) -> SenderLists:
    return store.load(account).filters.senders


def test_mail_of_blocked_and_safe_senders(person, account, imap_of, deliver):
    for sender, where in [
        ("Bad@Outside.example", "blocked"), ("spam.example", "blocked"), ("good@spam.example", "safe"), ("@friends.example", "safe"),
        ("@nowhere", "safe"),
    ]:  # fmt: skip
        page = typed(person, sender, where)
        assert page.status == 200 and page.address == "/filters/senders"
    assert lists(account) == SenderLists(
        ("bad@outside.example", "@spam.example"), ("good@spam.example", "@friends.example", "@nowhere")
    )
    forged = {"Authentication-Results": "mx.lycee.example; dmarc=fail header.from=friends.example"}
    for subject, sender, more in [
        ("blocked", "Bad <BAD@outside.example>", {}), ("domain", "x@SPAM.example", {}), ("fine", "x@sub.spam.example", {}),
        ("exception", "good@spam.example", {}), ("spared", "Ann <Ann@Friends.example>", SPAM), ("spared too", "good@spam.example", SPAM),
        ("spam", "x@outside.example", SPAM), ("forged", "ann@friends.example", SPAM | forged),
        ("pretended", '" good@spam.example "@evil.example', SPAM), ("second", "x@evil.example, ann@friends.example", SPAM),
        ("first", "ann@friends.example, x@evil.example", SPAM), ("group", "g: ann@friends.example, x@evil.example;", SPAM),
        ("no sender", "nobody", SPAM),
    ]:  # fmt: skip
        deliver(person.address, message(subject, sender=sender, **more))
    assert inside(imap_of, person, "INBOX") == {"fine", "exception", "spared", "spared too"}
    assert inside(imap_of, person, "Junk") == {
        "blocked",
        "domain",
        "spam",
        "forged",
        "pretended",
        "second",
        "first",
        "group",
        "no sender",
    }


def test_who_is_blocked_is_neither_answered_nor_sorted(person, account, imap_of, deliver):
    person.submit(
        person.get("/filters/new"),
        "form.rule-form",
        action="save",
        **{"conditions-0-values": "outside", "actions-0-value": "Archive"},
    )
    typed(person, "outside.example", "blocked")
    deliver(person.address, message("sorted", sender="x@outside.example"))
    assert inside(imap_of, person, "Junk") == {"sorted"} and not inside(imap_of, person, "Archive")


def test_the_page_adds_removes_and_takes_back(person, account):
    page = typed(person, "bad@outside.example", "blocked")
    assert "is blocked" in page.notices and page.one("[data-senders=blocked] bdi").get_text() == "bad@outside.example"
    page = typed(person, "bad@outside.example", "safe")
    assert lists(account) == SenderLists((), ("bad@outside.example",))
    page = person.submit(page, "#notices form")
    assert lists(account) == SenderLists(("bad@outside.example",)) and "Undone" in page.notices
    page = press(person, page, "Remove")
    assert lists(account) == SenderLists() and "no longer on the list" in page.notices
    person.submit(page, "#notices form")
    assert lists(account) == SenderLists(("bad@outside.example",))


def test_the_copy_for_the_spam_filter_is_of_the_latest_change(person, account, app, monkeypatch):
    """Of two tabs, one changes the list between the other's change and its copy."""
    with app.app_context():
        user = User.get(User.address == person.address)
        here, real = app.extensions["settings"], store.changing

        @contextmanager
        def overtaken(*arguments):
            with real(*arguments) as change:
                yield change
            monkeypatch.setattr(store, "changing", real)
            sender_change.put_in_lists(user, account, here, [("second@outside.example", "safe")])

        monkeypatch.setattr(store, "changing", overtaken)
        sender_change.put_in_lists(user, account, here, [("first@outside.example", "safe")])
    with imap.connect(account) as connection:
        assert metadata.read(connection, safe_copy.NAME) == " first@outside.example second@outside.example "


def test_an_old_copy_is_made_anew_by_the_page(person, account):
    typed(person, "good@outside.example", "safe")
    with imap.connect(account) as connection:
        metadata.write(connection, safe_copy.NAME, " evil@outside.example ")
    person.get("/filters/senders")
    with imap.connect(account) as connection:
        assert metadata.read(connection, safe_copy.NAME) == " good@outside.example "


def test_lists_that_do_not_fit_are_refused_as_a_whole(person, account):
    typed(person, "bad@outside.example", "blocked")
    long = tuple(f"p{number}{'x' * 230}@outside.example" for number in range(1000))
    with pytest.raises(OverQuotaError), store.changing(0, account, "") as change:
        change.filters = replace(change.filters, senders=SenderLists(long[:500], long[500:]))
        change.place = SievePlace(frozenset())
    assert lists(account) == SenderLists(("bad@outside.example",))


def test_undo_leaves_a_sender_where_it_was_put_since(person, account):
    form = typed(person, "bad@outside.example", "blocked").one("#notices form")
    typed(person, "bad@outside.example", "safe")
    person.post(form["action"], {one["name"]: one["value"] for one in form.select("input")})
    assert lists(account) == SenderLists((), ("bad@outside.example",))


def test_a_blocked_contact_is_not_suggested_while_writing(person, account):
    add(person, "Zacharie", "zach@outside.example")

    def suggested() -> bool:
        return "zach@outside.example" in person.get("/recipients?words=zach").html

    assert suggested()
    page = typed(person, "@outside.example", "blocked")
    assert not suggested()
    person.submit(page, "#notices form")
    assert suggested()
    senders = SenderLists(("zach@outside.example",))
    with store.changing(User.get(User.address == person.address).id, account, "") as change:  # as another program
        change.filters, change.place = replace(change.filters, senders=senders), SievePlace(frozenset())
    person.get("/filters")
    assert not suggested()


@pytest.mark.parametrize(
    ("sender", "words"), [("no address", "Type an address"), ("", "Type an address"), ("lycee.example", "yourself")]
)
def test_what_can_not_be_blocked(person, account, sender, words):
    page = typed(person, sender, "blocked")
    assert page.status == 422 and words in page.one("#sender-error").get_text() and page.one("#sender")["value"] == sender
    assert not store.load(account).text


def test_one_click_blocks_the_sender_of_a_message(person, account, fill, imap_of):
    [uid] = fill(person, message("offer", sender="Bad <bad@outside.example>"))
    page = press(person, person.get(f"/message/{uid}/INBOX"), "Block sender")
    assert "“bad@outside.example” is blocked. This message is now in Junk" in page.notices and page.address == "/mailbox/INBOX"
    assert lists(account).blocked == ("bad@outside.example",) and inside(imap_of, person, "Junk") == {"offer"}
    [week] = junk_weeks.latest(User.get(User.address == person.address))
    assert (week.junk, week.ham) == (1, 0)
    page = person.submit(page, "#notices form")
    assert lists(account) == SenderLists() and inside(imap_of, person, "INBOX") == {"offer"}


def test_one_click_in_junk_allows_a_sender_for_good_and_the_server_learns(person, account, fill, imap_of, deliver):
    deliver(person.address, message("news", sender="good@outside.example", **SPAM))
    client = imap_of(person.address)
    client.select_folder("Junk", readonly=True)
    [uid] = client.search()
    page = press(person, person.get(f"/message/{uid}/Junk"), "Always allow sender")
    assert "“good@outside.example” is a safe sender. This message is back in the inbox" in page.notices
    client.select_folder("INBOX", readonly=True)
    [uid] = client.search()
    assert b"$NotJunk" in client.fetch([uid], ["FLAGS"])[uid][b"FLAGS"]
    deliver(person.address, message("more news", sender="good@outside.example", **SPAM))
    assert inside(imap_of, person, "INBOX") == {"news", "more news"}
    page = person.get("/filters/senders")
    assert [one.get_text() for one in page.all("[data-junk-weeks] td")] == ["0", "1"]


def test_only_moves_out_of_junk_and_into_it_are_examples(person, fill):
    person.submit(person.get("/folders"), "#new-folder", name="Devis")
    uids = fill(person, *(message(f"n{number}") for number in range(3)), mailbox="Junk")
    for action in ("read", "flag", "copy:Devis", "delete"):
        person.submit(person.get("/mailbox/Junk"), "#messages", uids=str(uids[0]), action=action)
    user = User.get(User.address == person.address)
    assert not junk_weeks.latest(user)
    person.submit(person.get("/mailbox/Junk"), "#messages", uids=str(uids[1]), action="move:Devis")
    [week] = junk_weeks.latest(user)
    assert (week.junk, week.ham) == (0, 1)


def test_from_the_page_of_a_filter_one_comes_back_to_the_list(person, fill, imap_of):
    [uid] = fill(person, message("offer", sender="bad@outside.example"))
    page = person.get(f"/message/{uid}/INBOX")
    page = press(person, person.get(page.link("Create a filter…")), "Block sender")
    assert page.status == 200 and page.address == "/mailbox/INBOX" and "is blocked" in page.notices


@pytest.mark.parametrize("folder", ["INBOX", "Junk"])
def test_who_sends_a_dangerous_message_is_not_offered_to_be_allowed(person, fill, folder):
    forged = message("Facture", sender="Paypal <info@xn--pypal-4ve.example>")  # a Cyrillic letter among Latin ones
    [bad] = fill(person, forged, mailbox=folder)
    page = person.get(f"/message/{bad}/{folder}")
    assert page.one("[data-verdict]")["data-verdict"] == "danger"
    page = person.get(page.link("Create a filter…"))
    offered = [one.get_text(strip=True) for one in page.all("main form button")]
    assert offered == ["Block sender"] and ("may be fraudulent" in page.text) == (folder == "Junk")
    *_bad, good = fill(person, message("news", sender="good@outside.example"), mailbox=folder)
    page = person.get(f"/filters/from/{good}/{folder}")
    assert [one.get_text(strip=True) for one in page.all("main form button")] == ["Block sender", "Always allow sender"]


def test_nothing_of_another_program_is_thrown_away_by_a_click(person, account, fill, imap_of):
    rule = FilterRule("n", (), (RuleAction(ActionKind.FLAG),), id="n1")
    text = own_script.text_of([ScriptPart("rule", to_json(rule))]) + "\r\nkeep;\r\n"
    with managesieve.connect(account) as connection:
        connection.write(store.NAME, text)
    [uid] = fill(person, message("offer", sender="bad@outside.example"))
    page = press(person, person.get(f"/message/{uid}/INBOX"), "Block sender")
    assert "Another program has changed your filters" in page.notices and inside(imap_of, person, "INBOX") == {"offer"}
    with managesieve.connect(account) as connection:
        assert connection.read(store.NAME) == text


def test_a_filter_from_a_message(person, fill):
    [uid] = fill(
        person, message("Re: RE : [maths] devis", sender="Bob <bob@outside.example>", **{"List-Id": "Maths <maths.list.example>"})
    )
    page = person.submit(person.get("/mailbox/INBOX"), "#messages", uids=str(uid), action="filter")
    assert page.address.startswith(f"/filters/from/{uid}/INBOX")
    ideas = {one.get_text(): one["href"] for one in page.all("[data-ideas] a")}
    assert list(ideas) == [
        "From the mailing list “maths.list.example”", "From bob@outside.example", "From anyone at outside.example",
        "With a subject that contains “[maths] devis”",
    ]  # fmt: skip
    values = {one: person.get(href).one("[name='conditions-0-values']").get_text(strip=True) for one, href in ideas.items()}
    assert list(values.values()) == ["maths.list.example", "bob@outside.example", "@outside.example", "[maths] devis"]
    page = person.submit(
        person.get(ideas["From bob@outside.example"]), "form.rule-form", action="save", **{"actions-0-value": "Archive"}
    )
    assert "If the sender is “bob@outside.example”" in page.one("[data-rule]").get_text()
    page = person.submit(person.get("/mailbox/INBOX"), "#messages", action="filter")
    assert page.address == "/mailbox/INBOX" and "Select a message first" in page.notices


def test_a_subject_in_a_filter_loses_what_answers_put_before_it_and_nothing_else(person, fill):
    subjects = {"Software: more: x": "Software: more: x", "Re[2]: Fwd: Wire: z": "Wire: z", "re" + " " * 4000 + "x": "re"}
    for subject, words in subjects.items():
        uid = fill(person, message(subject))[-1]
        page = person.get(f"/filters/from/{uid}/INBOX")
        told = page.all("[data-ideas] a")[-1].get_text()
        assert told.startswith(f"With a subject that contains “{words}")


def test_a_filter_from_a_message_with_nothing_in_it(person, fill):
    [uid] = fill(person, b"X-Odd: 1\r\n\r\nno headers\r\n")
    page = person.get(f"/filters/from/{uid}/INBOX")
    assert page.status == 200 and not page.all("[data-ideas]") and not page.all("main form button")
    assert person.get("/filters/from/999/INBOX").status == 404


def test_a_filter_from_a_search(person, fill):
    fill(person, message("devis"))
    page = person.get("/mailbox/INBOX?query=from:bob+subject:devis+is:unread")
    page = person.get(page.link("Create a filter"))
    assert [one.get_text(strip=True) for one in page.all("[name$='-values']")] == ["bob", "devis"]
    assert "left out: is:unread" in page.notices


def test_junk_is_followed_by_an_offer_to_block(person, account, fill):
    [uid, _other] = fill(person, message("offer", sender="bad@outside.example"), message("two", sender="bad@outside.example"))
    page = person.submit(person.get("/mailbox/INBOX"), "#messages", uids=str(uid), action="junk")
    page = person.get(page.link("Block the sender…"))
    press(person, page, "Block sender")
    assert lists(account).blocked == ("bad@outside.example",)


def move(person, uid: int, to: str):
    return person.submit(person.get("/mailbox/INBOX"), "#messages", uids=str(uid), action="move", to=to)


def test_the_third_move_in_a_row_suggests_a_filter(person, fill):
    person.submit(person.get("/folders"), "#new-folder", name="Devis")
    uids = fill(person, *(message(f"devis {number}", sender="Bob <bob@outside.example>") for number in range(7)))
    words = "Always move messages from bob@outside.example to “Devis”?"
    for uid in uids[:2]:
        move(person, uid, "Devis")
        assert words not in person.get("/mailbox/INBOX").notices
    page = move(person, uids[2], "Devis")
    page = page if words in page.notices else person.get("/mailbox/INBOX")
    assert words in page.notices
    form = person.get(page.one("#notices a")["href"])
    assert form.one("[name='conditions-0-values']").get_text(strip=True) == "bob@outside.example"
    assert form.one("[name='actions-0-value'] option[selected]")["value"] == "Devis"
    decline = next(one for one in page.all("#notices form") if one["action"] == "/filters/suggestion")
    page = person.post(decline["action"], {one["name"]: one["value"] for one in decline.select("input")})
    assert "again" in page.notices and page.address == "/mailbox/INBOX"
    for uid in uids[3:6]:
        move(person, uid, "Devis")
    assert words not in person.get("/mailbox/INBOX").notices


def test_nothing_is_suggested_that_a_filter_does_already(person, fill):
    person.submit(person.get("/folders"), "#new-folder", name="Devis")
    link = "/filters/new?field=from&match=is&value=Bob@outside.example&action=move&to=Devis"
    person.submit(person.get(link), "form.rule-form", action="save")
    for uid in fill(person, *(message(f"n{number}", sender="bob@outside.example") for number in range(4))):
        page = move(person, uid, "Devis")
        assert "Always move" not in page.notices + person.get("/mailbox/INBOX").notices


def test_moves_to_the_trash_suggest_nothing(person, fill):
    for uid in fill(person, *(message(f"n{number}", sender="bob@outside.example") for number in range(3))):
        move(person, uid, "Trash")
    assert "Always move" not in person.get("/mailbox/INBOX").notices

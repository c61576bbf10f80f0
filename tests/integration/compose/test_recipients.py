"""Choosing recipients and what is asked about them: visits without scripts."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.support.compose_form import FORM, text_of, value_of, write
from tests.support.visits import Visitor
from webmail import smtp
from webmail.contacts import completion_rows
from webmail.database.connection import db
from webmail.models import AllowedAddress, Correspondent, DraftRow, Outbox, User
from webmail.people.suggestions import account_rows, met_rows

PEOPLE = "form.people"


def knows(person, address, name="", count=1):
    with db.connection_context():
        user = User.get(User.address == person.address)
        Correspondent.create(user=user, address=address, name=name, count=count)


def choose(person, **fields):
    return write(person, action="choose", **fields)


def names(page):
    return [row.get_text(" ", strip=True) for row in page.all(".people-table th[scope=row]")]


def field(page, name):
    tag = page.one(f"[name={name}]")
    return tag.get_text().removeprefix("\n") if tag.name == "textarea" else tag.get("value", "")


# --- the page of people ----------------------------------------------------------------------------------------------


def test_people_are_chosen_without_scripts_and_the_text_stays(alice):
    knows(alice, "marc@x.example", "Marc", 5)
    knows(alice, "rare@x.example", "Rare", 1)
    page = choose(alice, to="Somebody <new@x.example>", subject="Sortie", body="Départ à 8 h")
    assert page.address.startswith("/compose/") and "/recipients" in page.address
    assert names(page)[:2] == ["Marc marc@x.example", "Rare rare@x.example"]
    page = alice.submit(page, PEOPLE, to=["Marc <marc@x.example>"], cc=[], bcc=["Rare <rare@x.example>"], action="done")
    assert field(page, "to") == "Somebody <new@x.example>, Marc <marc@x.example>"
    assert (field(page, "cc"), field(page, "bcc")) == ("", "Rare <rare@x.example>")
    assert (value_of(page, "subject"), text_of(page)) == ("Sortie", "Départ à 8 h")
    again = alice.submit(page, FORM, action="choose")
    assert [box["value"] for box in again.all("input[type=checkbox][checked]")] == [
        "Marc <marc@x.example>", "Rare <rare@x.example>",
    ]  # fmt: skip
    page = alice.submit(again, PEOPLE, to=[], bcc=[], action="done")
    assert (field(page, "to"), field(page, "bcc")) == ("Somebody <new@x.example>", "")
    assert len(DraftRow.select()) == 1


def test_ticks_survive_a_search_and_the_next_page(alice):
    for number in range(60):
        knows(alice, f"p{number}@x.example", f"Person {number}", 100 - number)
    page = choose(alice)
    assert names(page)[0] == "Person 0 p0@x.example" and len(names(page)) == 50
    page = alice.submit(page, PEOPLE, to=["Person 0 <p0@x.example>"], action="page:2")
    assert "Person 55 p55@x.example" in names(page)
    page = alice.submit(page, PEOPLE, cc=["Person 55 <p55@x.example>"], words="p7@x", action="search")
    assert names(page) == ["Person 7 p7@x.example"]
    page = alice.submit(page, PEOPLE, action="done")
    assert (field(page, "to"), field(page, "cc")) == ("Person 0 <p0@x.example>", "Person 55 <p55@x.example>")


def test_colleagues_are_found_unless_the_directory_is_off(alice, bob, app):
    page = alice.submit(choose(alice), PEOPLE, words=bob.address.partition("@")[0], action="search")
    assert [name for name in names(page) if bob.address in name]
    assert bob.address in alice.get(f"/recipients?words={bob.address[:8]}").text
    object.__setattr__(app.extensions["settings"], "directory", False)
    assert bob.address not in alice.get(f"/recipients?words={bob.address[:8]}").text


def test_somebody_elses_people_and_drafts_stay_theirs(alice, bob):
    knows(bob, "secret@x.example", "Secret")
    page = choose(bob, to="x@x.example")
    assert "secret@x.example" not in alice.get("/recipients?words=secret").html
    assert "secret@x.example" not in choose(alice).html
    assert alice.get(page.address).status == 404
    token = choose(alice).one(f"{PEOPLE} [name=csrf_token]")["value"]
    answer = alice.post(page.address, {"csrf_token": token, "shown": "a@x.example", "to": "a@x.example", "action": "done"})
    assert answer.status == 404
    assert DraftRow.get(DraftRow.to == "x@x.example")


def test_names_are_text_never_markup(alice):
    knows(alice, "eve@x.example", '<img src=x onerror="alert(1)">Eve')
    for page in (alice.get("/recipients?words=eve"), choose(alice)):
        assert page.all("img") == [] and "&lt;img" in page.html
    entries = [option["data-entry"] for option in alice.get("/recipients?words=eve").all("[role=option]")]
    assert len([entry for entry in entries if entry.endswith("<eve@x.example>")]) == 1


@pytest.mark.parametrize("query", ["?page=0", "?page=99999999999999999999", "?page=x", "?words=%00%25_'", "?back=//evil.example"])
def test_odd_addresses_of_the_page_of_people_do_no_harm(alice, query):
    knows(alice, "marc@x.example", "Marc")
    page = choose(alice)
    answer = alice.get(page.address.partition("?")[0] + query)
    assert answer.status == 200
    assert "evil.example" not in answer.one(f"{PEOPLE} [name=back]")["value"]


def test_a_draft_changed_in_another_window_is_not_overwritten(alice):
    knows(alice, "marc@x.example", "Marc")
    page = choose(alice, subject="first")
    other = alice.get(page.address.replace("/recipients", ""))
    alice.submit(other, FORM, subject="second", to="x@x.example", action="save")
    after = alice.submit(page, PEOPLE, to=["Marc <marc@x.example>"], action="done")
    assert "changed in another window" in after.notices
    assert (value_of(after, "subject"), field(after, "to")) == ("second", "x@x.example")


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_a_slip_is_pointed_out_once_and_corrected_by_a_button(alice, bob, work):
    page = write(alice, to=f"Zoé <zoe@gmial.com>, {bob.address}", subject="s", body="b", action="send")
    assert page.status == 422
    assert "Did you mean “zoe@gmail.com”" in page.one("#asked").get_text()
    corrected = alice.submit(page, FORM, action="correct")
    assert field(corrected, "to") == f"Zoé <zoe@gmail.com>, {bob.address}"
    assert Outbox.select().count() == 0
    sent = alice.submit(page, FORM, action="send-anyway")
    assert "on its way" in sent.notices
    work()
    knows_now = write(alice, to="other@gmial.com", subject="s", body="b", action="send")
    assert "on its way" in knows_now.notices


def test_an_address_written_twice_gets_one_message(alice, bob, work, stored):
    write(alice, to=f"{bob.address}, B <{bob.address.upper()}>", cc=bob.address, subject="s", body="b", action="send")
    work()
    [got] = stored(bob, "INBOX")
    assert (got["To"], got["Cc"]) == (bob.address, None)


def test_colleagues_see_each_other_but_strangers_are_asked_about(alice):
    own = alice.address.rpartition("@")[2]
    many = ", ".join(f"p{number}@{own}" for number in range(25))
    assert "on its way" in write(alice, to=many, subject="s", body="b", action="send").notices
    page = write(alice, to=many.replace(own, "x.example"), subject="s", body="b", action="send")
    assert "Move all to Bcc" in page.one("#asked").get_text()


def test_an_answer_to_very_many_is_asked_about_and_copies_can_be_left_out(alice, fill):
    letter = EmailMessage()
    letter["From"], letter["Subject"], letter["Message-ID"] = "Bob <bob@x.example>", "Fête", "<fete@x.example>"
    letter["To"] = ", ".join([alice.address, *(f"p{number}@x.example" for number in range(30))])
    letter.set_content("Qui vient ?\n")
    [uid] = fill(alice, letter)
    page = write(alice, at=f"/reply/{uid}/INBOX?all=1", action="send")
    assert "You are replying to 31 people" in page.one("#asked").get_text()
    assert "Move all to Bcc" not in page.text
    page = alice.submit(page, FORM, action="without-cc")
    assert (field(page, "to"), field(page, "cc")) == ("Bob <bob@x.example>", "")
    assert "on its way" in alice.submit(page, FORM, action="send").notices


def test_an_answer_to_all_leaves_out_ones_other_addresses(alice, fill):
    local, _, domain = alice.address.partition("@")
    with db.connection_context():
        AllowedAddress.create(user=User.get(User.address == alice.address), address=f"private@{domain}")
    letter = EmailMessage()
    letter["From"], letter["Subject"] = "Bob <bob@x.example>", "s"
    letter["To"] = f"{alice.address}, Private@{domain}, {local}+shops@{domain}, carl@x.example"
    letter.set_content("?\n")
    [uid] = fill(alice, letter)
    page = alice.get(f"/reply/{uid}/INBOX?all=1")
    assert field(page, "cc") == "carl@x.example"


# --- where answers go, and letters beyond ASCII -----------------------------------------------------------------------


def test_answers_may_go_to_another_address(alice, bob, work, stored):
    page = write(alice, to=bob.address, reply_to="Vie scolaire <vs@x.example>", subject="s", body="b", action="save")
    [copy] = stored(alice, "Drafts")
    assert copy["Reply-To"] == "Vie scolaire <vs@x.example>"
    with db.connection_context():
        DraftRow.delete().execute()
    page = alice.get(f"/draft/{copy.uid}/Drafts")
    assert field(page, "reply_to") == "Vie scolaire <vs@x.example>"
    alice.submit(page, FORM, action="send")
    work()
    assert stored(bob, "INBOX")[0]["Reply-To"] == "Vie scolaire <vs@x.example>"
    bad = write(alice, to=bob.address, reply_to="nobody", subject="s", body="b", action="send")
    assert bad.status == 422 and "nobody" in bad.one("#reply_to-error").get_text()


def test_a_domain_in_another_alphabet_travels_in_ascii(alice, work, outside):
    write(alice, to="Straße <info@straße-bücher.example>", subject="s", body="b", action="send-anyway")
    work()
    assert any("xn--" in file.read_text() for file in outside.glob("*.json"))
    page = alice.get("/recipients?words=stra")
    assert "info@straße-bücher.example" in page.text


def test_accents_before_the_at_are_refused_at_the_form_where_the_server_takes_none(alice, monkeypatch):
    monkeypatch.setattr(smtp, "offers", lambda account, extension: False)
    page = write(alice, to="élise@x.example", subject="s", body="b", action="send")
    assert page.status == 422
    assert "can’t send to “élise@x.example”" in page.one("#to-error").get_text()
    assert field(page, "to") == "élise@x.example"
    assert Outbox.select().count() == 0


def test_the_page_of_people_needs_a_sign_in(app):
    assert Visitor(app).get("/recipients?words=a", follow=False).status == 302


# --- a name without a domain -----------------------------------------------------------------------------------------


def choices(page):
    return [button.get_text(" ", strip=True) for button in page.all("#whom button")]


def press(page, words):
    return next(button["value"] for button in page.all("#whom button") if words in button.get_text())


def test_a_bare_name_of_nobody_is_asked_about_and_the_text_stays(alice, bob, work, stored):
    knows(alice, "kari@fjord.example", "Kari Nordmann", 151)
    domain = alice.address.rpartition("@")[2]
    page = write(alice, to=f"kari, {bob.address}", subject="Sortie", body="Départ à 8 h", action="send")
    assert page.status == 422 and "Who do you mean by “kari”?" in page.one("#whom").get_text()
    assert choices(page) == ["Kari Nordmann kari@fjord.example", f"kari@{domain}"]
    assert (field(page, "to"), value_of(page, "subject"), text_of(page)) == (f"kari, {bob.address}", "Sortie", "Départ à 8 h")
    assert Outbox.select().count() == 0
    page = alice.submit(page, FORM, action=press(page, "Nordmann"))
    assert "Nothing has been sent yet." in page.notices
    assert field(page, "to") == f"Kari Nordmann <kari@fjord.example>, {bob.address}"
    assert "on its way" in alice.submit(page, FORM, action="send").notices
    work()
    assert stored(bob, "INBOX")[0]["To"] == f"Kari Nordmann <kari@fjord.example>, {bob.address}"


def test_two_names_are_asked_about_one_after_the_other(alice):
    knows(alice, "kari@fjord.example", "Kari Nordmann", 151)
    page = write(alice, to="kari", cc="nobody.at.all", subject="s", body="b", action="send")
    page = alice.submit(page, FORM, action=press(page, "Nordmann"))
    assert page.status == 422
    assert "“nobody.at.all”" in page.one("#whom").get_text() and "“kari”" not in page.one("#whom").get_text()
    page = alice.submit(page, FORM, action=press(page, "nobody.at.all@"))
    assert field(page, "cc") == f"nobody.at.all@{alice.address.rpartition('@')[2]}" and Outbox.select().count() == 0


def test_an_account_of_ones_own_domain_needs_no_question(alice, bob, work, stored):
    assert "on its way" in write(alice, to=bob.address.partition("@")[0], subject="s", body="b", action="send").notices
    work()
    assert stored(bob, "INBOX")[0]["To"] == bob.address


def test_without_the_directory_nobody_learns_who_has_an_account(alice, bob, app):
    object.__setattr__(app.extensions["settings"], "directory", False)
    there, absent = bob.address.partition("@")[0], "bob-999999"
    pages = [write(alice, to=name, subject="s", body="b", action="send") for name in (there, absent)]
    assert [page.status for page in pages] == [422, 422]
    first, second = (page.one("#whom").decode().replace(name, "NAME") for page, name in zip(pages, (there, absent), strict=True))
    assert first == second


def test_a_forged_choice_puts_nothing_in(alice):
    page = write(alice, to="kari", subject="s", body="b", action="send")
    for value in ("mean:kari>x\r\nBcc: eve@x.example", "mean:kari", "mean:", "mean:kari><script>"):
        again = alice.submit(page, FORM, action=value)
        assert field(again, "to") == "kari" and "<script>" not in str(again.all("#whom"))
    assert Outbox.select().count() == 0


def test_sending_on_asks_too(alice, bob, letter, work, stored):
    knows(bob, "kari@fjord.example", "Kari Nordmann", 151)
    page = bob.get(f"/send-on/{letter.uid}/INBOX")
    form = "form[action^='/send-on']"
    before = Outbox.select().count()
    page = bob.submit(page, form, to="kari")
    assert page.status == 422 and Outbox.select().count() == before
    page = bob.submit(page, form, action=press(page, "Nordmann"))
    assert value_of(page, "to") == "Kari Nordmann <kari@fjord.example>" and not page.all("#whom")
    assert Outbox.select().count() == before
    assert "on its way" in bob.submit(page, form).notices


def test_only_who_is_known_from_messages_alone_can_be_forgotten(alice, bob):
    knows(alice, "eve@x.example", "Eve")
    knows(alice, bob.address, "Bob")
    knows(alice, "zoé@xn--fsqu00a.example", "Zoé")

    def learned(words):
        return [option.get("data-learned") for option in alice.get(f"/recipients?words={words}").all("[role=option]")]

    assert "eve@x.example" in learned("eve") and learned(bob.address) == [None]
    assert learned("zoé") == ["zoé@xn--fsqu00a.example"]
    token = choose(alice).one(f"{PEOPLE} [name=csrf_token]")["value"]

    def tell(address, action="forget"):
        return alice.post("/recipients/forget", {"csrf_token": token, "address": address, "action": action})

    answer = tell("zoé@xn--fsqu00a.example")
    assert "zoé@例子.example will no longer be suggested" in answer.text
    assert learned("zoé") == []
    assert tell(answer.one("[data-remember]")["data-remember"], "remember").status == 204
    assert learned("zoé") == ["zoé@xn--fsqu00a.example"]
    for nobody in ("", "x", "<b>@x.example", "a" * 9000):
        assert tell(nobody).status == 204


def test_the_page_has_suggestions_read_before_the_first_letter(alice, bob, monkeypatch):
    monkeypatch.setattr(account_rows, "_SECONDS", 10**10)  # or they might be old right now
    alice.get("/compose").response.close()  # it is read once the answer has gone
    for module in (account_rows, completion_rows, met_rows):
        monkeypatch.setattr(module, "_read", lambda *_arguments: pytest.fail("read by a letter"))
    assert bob.address in alice.get(f"/recipients?words={bob.address[:8]}").text

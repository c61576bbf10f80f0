"""Sharing books and calendars on pages: who is found, what they may do, how they are told, and what they make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.collection_pages.conftest import Browser
from tests.unit.dav.conftest import Phone, card, event
from tests.unit.dav.test_collections import look, patch
from webmail import audit
from webmail.accounts import data_export
from webmail.collections import shares, store
from webmail.models import (
    AuditAct,
    Collection,
    CollectionShare,
    GroupMember,
    LostShare,
    PeopleGroup,
    SystemMessage,
    ToldNotice,
    User,
    now,
)
from webmail.people import groups


@pytest.fixture
def page(browser_of: Callable[[User], Browser], alice: User) -> Browser:
    return browser_of(alice)


@pytest.fixture
def trips(page: Browser) -> int:
    """A calendar of Alice's."""
    return page.make("calendar", "Trips")


@pytest.fixture
def group(alice: User, person: Callable[..., User]) -> PeopleGroup:
    made = PeopleGroup.create(identifier="$maths.x", name="Maths", sort="maths", domain="lycee.example")
    GroupMember.create(group=made, user=person("zoe", name="Zoé Petit"))
    return made


def rights_of(number: int) -> dict[str, str]:
    rows = shares.given(Collection.get_by_id(number))
    return {(row.group.name if row.group_id else row.user.local): row.rights for row in rows}


def test_people_are_found_by_address_user_name_name_and_group(
    page: Browser, trips: int, bob: User, group: PeopleGroup, person: Callable[..., User]
) -> None:
    person("chloe", name="Chloé Dupont")
    person("dan")
    told = page.share(trips, "Bob Martin <bob@lycee.example>, dan; chloe dupont\nmaths", "write")
    assert rights_of(trips) == {"bob": "write", "dan": "write", "chloe": "write", "Maths": "write"}
    assert "“Trips” is now shared with 4 people and groups." in told.notices


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Alice Leroy", "is you"),
        ("alice@lycee.example", "is you: it is already yours"),
        ("friend@gmail.example", "is not in your organisation"),
        ("nobody@lycee.example", "Nobody in your organisation has the address nobody@lycee.example"),
        ("Nobody At All", "No person or group is called “Nobody At All”"),
        ("Max Blanc", "Type an address: max1@lycee.example, max2@lycee.example."),
        ("gone@lycee.example", "Nobody in your organisation"),
        ("", "Type who to share with"),
        ("maths@lycee.example", "Nobody in your organisation"),
        ("bob, nobody@lycee.example", "Nobody in your organisation"),
    ],
)
def test_who_cannot_be_meant_is_said_and_what_was_typed_stays(
    page: Browser, trips: int, bob: User, person: Callable[..., User], typed: str, words: str
) -> None:
    person("max1", name="Max Blanc")
    person("max2", name="Max Blanc")
    person("gone", active=0)
    refused = page.share(trips, typed, "write")
    assert refused.status == 422 and words in refused.text and rights_of(trips) == {}
    assert (
        "Nothing has been saved yet." in refused.one("main > .notice[role=alert]").text
    )  # above all, since the field is far below
    assert refused.one("#who")["value"] == typed and refused.one("#share [name=rights][checked]")["value"] == "write"


@pytest.mark.parametrize("more", ["nobody@lycee.example", "dan " * 1300])
def test_of_more_than_are_looked_up_nobody_is_left_out_without_a_word(
    page: Browser, trips: int, bob: User, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    monkeypatch.setattr(shares, "MOST_AT_ONCE", 1)
    told = page.share(trips, f"bob, {more}")
    assert told.status == 422 and "Type up to 1 people and groups at a time." in told.text
    assert rights_of(trips) == {}


def test_groups_of_others_are_not_there(page: Browser, trips: int) -> None:
    other = PeopleGroup.create(identifier="$o", name="Autres", sort="autres", domain="other.example")
    assert page.share(trips, "Autres").status == 422
    assert page.share(trips, "", group=str(other.id)).status == 422 and rights_of(trips) == {}


def test_names_are_of_those_whom_one_sees(page: Browser, trips: int, bob: User, group: PeopleGroup, app) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], directory=False)
    assert not page.get(f"/collections/{trips}").all("#group") and not page.get("/collections/people?words=bob").all(
        "[role=option]"
    )
    for fields in ({"who": "Bob Martin"}, {"who": "Maths"}, {"who": "", "group": str(group.id)}):
        assert page.share(trips, **fields).status == 422 and rights_of(trips) == {}
    page.share(trips, "bob@lycee.example")
    assert rights_of(trips) == {"bob": "read"}


def test_a_group_is_chosen_from_the_list(page: Browser, trips: int, group: PeopleGroup) -> None:
    told = page.share(trips, "", "busy", group=str(group.id))
    assert rights_of(trips) == {"Maths": "busy"} and "Maths can now see when you are busy." in told.notices


def test_books_have_no_busy_times(page: Browser, bob: User) -> None:
    number = page.make("addressbook", "Club")
    assert not page.get(f"/collections/{number}").all("#share [value=busy]")
    assert page.share(number, "bob", "busy").status == 422 and rights_of(number) == {}


def test_rights_change_and_end_at_once_for_devices(
    page: Browser, trips: int, bob: User, phone_of: Callable[..., Phone], alice: User
) -> None:
    mine, other = phone_of(alice), phone_of(bob)
    name, path = Collection.get_by_id(trips).name, f"shared-{trips}/"
    mine.put(f"{name}/a.ics", event("a", "SUMMARY:Surgery", "DURATION:PT1H"))
    page.share(trips, "bob", "busy")
    assert "Surgery" not in other.ask("GET", path + "a.ics").text
    row = f"[data-share='{CollectionShare.get().id}'] form"
    page.submit(page.get(f"/collections/{trips}"), row, rights="write", action="change")
    assert "Surgery" in other.ask("GET", path + "a.ics").text and other.put(path + "b.ics", event("b")).status_code == 201
    told = page.submit(page.get(f"/collections/{trips}"), row, action="revoke")
    assert "Bob Martin can no longer see “Trips”." in told.notices
    assert other.ask("GET", path + "a.ics").status_code in (403, 404)
    page.submit(told, "#notices form")
    assert rights_of(trips) == {"bob": "write"} and "Surgery" in other.ask("GET", path + "a.ics").text
    acts = [(one.act, one.target, audit.details_of(one)) for one in audit.search(who=bob.address)[0]]
    assert acts == [
        (AuditAct.SHARE_GIVEN, bob.address, {"collection": "Trips", "level": "write", "undo": True}),
        (AuditAct.SHARE_REVOKED, bob.address, {"collection": "Trips"}),
        (AuditAct.SHARE_CHANGED, bob.address, {"collection": "Trips", "level": "write"}),
        (AuditAct.SHARE_GIVEN, bob.address, {"collection": "Trips", "level": "busy"}),
    ]


def test_two_windows_may_end_the_same_share(page: Browser, trips: int, bob: User) -> None:
    page.share(trips, "bob")
    windows = [page.get(f"/collections/{trips}") for _ in range(2)]
    for window, words in zip(windows, ("can no longer see", "was already changed in another window"), strict=True):
        assert words in page.submit(window, "[data-share] form", action="revoke").notices


def test_who_sees_busy_times_reads_no_words(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], phone_of: Callable[..., Phone], alice: User
) -> None:
    page.submit(page.get(f"/collections/{trips}"), "#collection", description="A secret plan", action="save")
    phone_of(alice).put(f"{Collection.get_by_id(trips).name}/a.ics", event("a", "SUMMARY:Surgery"))
    page.share(trips, "bob", "busy")
    other = browser_of(bob)
    for path in ("/collections", f"/collections/{trips}", "/collections/trash"):
        shown = other.get(path)
        assert "Surgery" not in shown.text and "A secret plan" not in shown.text and "1 event" not in shown.text
    assert "you see busy times only" in other.get(f"/collections/{trips}").text
    asked = "<d:propfind xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop><c:calendar-description/></d:prop></d:propfind>"
    assert "A secret plan" in phone_of(alice).ask("PROPFIND", "", asked, Depth="1").text
    told = phone_of(bob).ask("PROPFIND", "", asked, Depth="1").text
    assert f"shared-{trips}" in told and "A secret plan" not in told


def test_they_are_told_once_on_their_page(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], group: PeopleGroup
) -> None:
    page.share(trips, "bob")
    other = browser_of(bob)
    shown = other.get("/collections")
    assert "Alice Leroy shares the calendar “Trips” with you." in shown.notices and "New" in shown.one(
        f"[data-collection='{trips}'] .chip"
    )
    after = other.press(shown, ".notice form", "seen")
    assert "shares the calendar" not in after.notices and not after.all(f"[data-collection='{trips}'] .chip")
    assert "Alice Leroy shares the calendar “Trips” with you." in after.one("#notices-read").get_text()  # it can be read again
    zoe = browser_of(User.get(User.local == "zoe"))
    page.share(trips, "Maths", "write")
    shown = zoe.get("/collections")
    assert "Alice Leroy shares the calendar" in shown.notices and "you can read and edit it" in shown.text
    assert "shares" not in zoe.press(shown, ".notice form", "seen").notices


@pytest.mark.parametrize("path", ["/collections", "/calendar"])
def test_who_loses_a_share_is_told_once(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], path: str
) -> None:
    page.share(trips, "bob")
    other = browser_of(bob)
    shares.mark_seen(bob, shares.news(store.accessible(bob)))
    told = page.submit(page.get(f"/collections/{trips}"), "[data-share] form", action="revoke")
    words = "Alice Leroy no longer shares the calendar “Trips” with you."
    shown = other.get(path)
    assert words in shown.notices and words in other.get(path).notices
    assert words not in other.press(shown, ".notice form", "seen").notices and words not in other.get(path).notices
    read = other.get("/collections").all("#notices-read li")
    assert len(read) == 1 and words in read[0].get_text()
    ToldNotice.update(at=now() - timedelta(days=31)).execute()
    assert not other.get("/collections").all("#notices-read")
    assert not CollectionShare.select().count()
    page.submit(told, "#notices form")
    assert words not in other.get(path).notices and rights_of(trips) == {"bob": "read"}


def test_who_still_has_it_by_a_group_or_again_lost_nothing(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], group: PeopleGroup
) -> None:
    page.share(trips, "bob")
    told = page.submit(page.get(f"/collections/{trips}"), "[data-share] form", action="revoke")
    page.submit(told, "#notices form")
    other = browser_of(bob)
    assert "no longer shares" not in other.get("/collections").notices
    GroupMember.create(group=group, user=bob)
    page.share(trips, "Maths")
    shares.change(User.get(User.local == "alice"), trips, CollectionShare.get(CollectionShare.user == bob).id, "")
    assert "no longer shares" not in other.get("/collections").notices
    GroupMember.delete().where(GroupMember.user == bob).execute()
    assert "no longer shares the calendar" in other.get("/collections").notices


def told_once(reader: Browser, words: str, path: str = "/collections") -> bool:
    """Whether somebody reads these words until they say that they know."""
    shown = reader.get(path)
    if words not in shown.notices or words not in reader.get(path).notices:
        return False
    return words not in reader.press(shown, ".notice form", "seen").notices and words not in reader.get(path).notices


@pytest.mark.parametrize("how", ["delete", "remove"])
def test_who_loses_a_share_with_a_group_is_told_once_and_its_owner_of_the_group(
    page: Browser, trips: int, browser_of: Callable[[User], Browser], group: PeopleGroup, how: str
) -> None:
    zoe = User.get(User.local == "zoe")
    book = page.make("addressbook", "Parents")
    for number in (trips, book):
        page.share(number, "Maths", "write")
    if how == "delete":
        groups.delete(group)
    else:
        assert groups.remove(group, [zoe]) == 1
    reader = browser_of(zoe)
    assert (
        "The address book “Parents” (Alice Leroy) is no longer shared with a group of yours."
        in reader.get("/collections").notices
    )
    assert told_once(reader, "The calendar “Trips” (Alice Leroy) is no longer shared with a group of yours.")
    assert not CollectionShare.select().where(CollectionShare.user == zoe).exists()
    words = "“Trips” is no longer shared with Maths: this group was deleted."
    assert (words in page.get("/collections").notices) == (how == "delete")
    assert how == "remove" or told_once(page, words)


def test_who_still_has_it_by_another_group_lost_nothing(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], group: PeopleGroup, person: Callable[..., User]
) -> None:
    zoe, other = User.get(User.local == "zoe"), groups.create("lycee.example", "Choir")
    groups.add(other, [zoe, bob])
    groups.add(group, [bob, User.get(User.local == "alice")])
    page.share(trips, "Maths, Choir, bob", "write")
    groups.delete(group)
    for user in (zoe, bob):
        assert "no longer shared" not in browser_of(user).get("/collections").notices
    groups.remove(other, [zoe, bob])
    assert told_once(browser_of(zoe), "is no longer shared with a group of yours")
    assert "no longer shared" not in browser_of(bob).get("/collections").notices  # it is shared with him alone too


def test_who_had_it_is_told_once_that_it_was_deleted_unless_it_comes_back(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], group: PeopleGroup
) -> None:
    page.make("calendar", "Another")
    page.share(trips, "bob, Maths")
    zoe, other = browser_of(User.get(User.local == "zoe")), browser_of(bob)
    shares.set_look(bob, store.get(bob, trips), "Sorties", "")  # type: ignore[arg-type]
    gone = page.press(page.get(f"/collections/{trips}"), "form", "delete")
    words = "Alice Leroy deleted the calendar “{}”, which was shared with you."
    assert words.format("Trips") in zoe.get("/calendar").notices and words.format("Sorties") in other.get("/collections").notices
    page.submit(gone, "#notices form")
    for reader in (zoe, other):
        assert "deleted the calendar" not in reader.get("/collections").notices
    number = Collection.get(Collection.props.contains("Trips")).id
    page.press(page.get(f"/collections/{number}"), "form", "delete")
    assert told_once(zoe, words.format("Trips"), "/calendar") and told_once(other, words.format("Sorties"))
    assert not LostShare.select().exists()


def test_whose_rights_are_lowered_is_told_once(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], group: PeopleGroup
) -> None:
    zoe, alice = User.get(User.local == "zoe"), User.get(User.local == "alice")
    page.share(trips, "bob, Maths", "manage")
    for right in ("write", "read"):  # in two steps, which are told as one
        page.share(trips, "bob, Maths", right)
    words = "Your rights to “Trips” (Alice Leroy) have changed: you can read it."
    assert told_once(browser_of(zoe), words) and told_once(browser_of(bob), words)
    share = CollectionShare.get(CollectionShare.user == bob, CollectionShare.rights != "")
    shares.change(alice, trips, share.id, "busy")
    shares.change(alice, trips, share.id, "write")  # and back before he looked
    assert "have changed" not in browser_of(bob).get("/collections").notices
    shares.change(alice, trips, CollectionShare.get(CollectionShare.group == group).id, "")
    assert told_once(browser_of(zoe), "is no longer shared with a group of yours")


def test_what_a_device_made_without_a_name_is_called_the_same_everywhere(
    page: Browser, alice: User, bob: User, browser_of: Callable[[User], Browser], phone_of: Callable[..., Phone]
) -> None:
    """It was called by the last part of its address, by nothing, or by words, in turn."""
    phone = phone_of(alice)
    assert phone.ask("MKCALENDAR", "5F3C-77AB/").status_code == 201
    phone.put("5F3C-77AB/a.ics", event("a"))
    number = Collection.get(Collection.name == "5F3C-77AB").id
    name = "Calendar without a name"
    page.share(number, "bob", "write")
    other = browser_of(bob)
    pages = [
        page.get(path).html
        for path in ("/calendar", "/collections", f"/collections/{number}", "/calendar/events/new", "/calendar/import")
    ] + [other.get(path).html for path in ("/calendar", "/collections", "/calendar/events/new")]
    for shown in (*pages, page.get(f"/calendar/export/{number}").response.text, phone.ask("PROPFIND", "5F3C-77AB/", NAMED).text):
        assert name in shown and ">5F3C" not in shown, shown
    assert name in phone_of(bob).ask("PROPFIND", f"shared-{number}/", NAMED).text
    User.update(language="fr").where(User.id == bob.id).execute()
    assert "Agenda sans nom" in phone_of(bob).ask("PROPFIND", f"shared-{number}/", NAMED).text
    phone.ask("PROPPATCH", "5F3C-77AB/", patch(colour="#ff0000"))
    assert name not in Collection.get_by_id(number).props  # which is nobody's name for it
    phone.ask("PROPPATCH", "5F3C-77AB/", patch(name="Sorties"))
    assert "Sorties" in page.get("/calendar").text and name not in page.get("/calendar").text


NAMED = "<d:propfind xmlns:d='DAV:'><d:prop><d:displayname/></d:prop></d:propfind>"


def test_they_are_told_by_mail_if_one_wishes(page: Browser, trips: int, bob: User, group: PeopleGroup) -> None:
    page.share(trips, "bob")
    assert SystemMessage.select().count() == 0
    told = page.share(trips, "bob, Maths", mail="1")  # Bob has it already
    assert "1 person was told by email." in told.notices
    letter = SystemMessage.get()
    assert (letter.recipient, letter.subject) == ("zoe@lycee.example", "Alice Leroy shares the calendar “Trips” with you")
    assert "https://mail.lycee.example/collections" in letter.body


def test_the_mail_calls_what_has_no_name_in_the_language_of_its_reader(page: Browser, trips: int, group: PeopleGroup) -> None:
    Collection.update(props="{}").where(Collection.id == trips).execute()
    User.update(language="fr").where(User.local == "zoe").execute()
    page.share(trips, "Maths", mail="1")
    assert SystemMessage.get().subject == "Alice Leroy partage avec vous l’agenda «\u00a0Agenda sans nom\u00a0»"


def test_a_group_of_nobody_is_not_too_many_to_be_told(page: Browser, trips: int) -> None:
    PeopleGroup.create(identifier="$choir.x", name="Choir", sort="choir", domain="lycee.example")
    told = page.share(trips, "Choir", mail="1")
    assert "Choir can now read “Trips”." in told.notices and "too many" not in told.notices


def test_it_is_hidden_named_and_coloured_for_oneself_alone(
    page: Browser,
    trips: int,
    bob: User,
    browser_of: Callable[[User], Browser],
    phone_of: Callable[..., Phone],
    group: PeopleGroup,
) -> None:
    GroupMember.create(group=group, user=bob)
    page.share(trips, "Maths", "write")
    other, phone, path = browser_of(bob), phone_of(bob), f"shared-{trips}/"
    other.submit(other.get(f"/collections/{trips}"), "#own-look", name="Alice goes out", colour="#3f9150", action="look")
    assert look(phone, path)[:2] == ("Alice goes out", "#3f9150")
    assert "Trips" in page.get("/collections").text and "goes out" not in page.get("/collections").text
    phone.ask("PROPPATCH", path, patch(name="From the phone"))
    assert other.get(f"/collections/{trips}").one("#name")["value"] == "From the phone"
    other.submit(other.get(f"/collections/{trips}"), "#own-look", name="", colour="", action="look")
    assert look(phone, path)[0] == "Trips"
    hidden = other.press(other.get("/collections"), f"[data-collection='{trips}'] form", "hide")
    assert "1 not shown" in hidden.text and phone.ask("PROPFIND", path).status_code in (403, 404)
    again = other.submit(hidden, "#notices form")
    assert "is shown again here" in again.text and "no longer shown" not in again.text
    assert phone.ask("PROPFIND", path).status_code == 207


def test_a_look_outlives_the_end_of_a_share(page: Browser, trips: int, bob: User) -> None:
    page.share(trips, "bob")
    shares.set_look(bob, store.get(bob, trips), "Mine", "")
    for _time in range(2):
        page.submit(page.get(f"/collections/{trips}"), "[data-share] form", action="revoke")
        assert store.get(bob, trips) is None and "Nobody else has access." in page.get(f"/collections/{trips}").text
        page.share(trips, "bob")
    assert store.get(bob, trips).props["D:displayname"] == "Mine"


def test_there_are_not_endlessly_many(page: Browser, trips: int, bob: User, person: Callable[..., User], monkeypatch) -> None:
    monkeypatch.setattr(shares, "MOST", 1)
    person("dan")
    refused = page.share(trips, "bob, dan")
    assert refused.status == 422 and "up to 1 people" in refused.text and rights_of(trips) == {}


def test_who_has_it_by_a_share_gives_it_to_nobody(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], person: Callable[..., User]
) -> None:
    person("dan")
    page.share(trips, "bob", "write")
    other = browser_of(bob)
    token = other.get(f"/collections/{trips}").one("#own-look [name=csrf_token]")["value"]
    fields = {"action": "give", "who": "dan", "rights": "read", "csrf_token": token}
    assert "You can’t manage “Trips”. Nothing was changed." in other.post(f"/collections/{trips}/shares", fields).notices
    assert other.post(f"/collections/{trips}", {"action": "delete", "csrf_token": token}).status == 400
    assert rights_of(trips) == {"bob": "write"}


def test_colleagues_and_groups_are_suggested(page: Browser, trips: int, bob: User, group: PeopleGroup) -> None:
    found = page.get("/collections/people?words=ma").all("[role=option]")
    assert [one["data-entry"] for one in found] == ["Maths", "Bob Martin <bob@lycee.example>"]
    assert not page.get("/collections/people?words=alice").all("[role=option]")


def test_ones_data_tells_of_shares(page: Browser, trips: int, alice: User, bob: User) -> None:
    page.share(trips, "bob", "write")
    given = {}
    for user in (alice, bob):
        files = {name: b"".join(pieces) for name, pieces in data_export.files_of(user)}
        given[user.local] = json.loads(files["shares.json"])
    assert [(one["collection"], one["person"], one["rights"]) for one in given["alice"]["given"]] == [
        ("Trips", bob.address, "write")
    ]
    assert [(one["collection"], one["owner"]) for one in given["bob"]["shared-with-me"]] == [("Trips", alice.address)]


def test_cards_of_a_shared_book_are_written_by_both(
    page: Browser, bob: User, phone_of: Callable[..., Phone], alice: User
) -> None:
    number = page.make("addressbook", "Club")
    page.share(number, "bob", "write")
    assert phone_of(bob).put(f"shared-{number}/a.vcf", card()).status_code == 201
    assert phone_of(alice).ask("GET", f"{Collection.get_by_id(number).name}/a.vcf").status_code == 200


def gone_before(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """As if another window deleted a collection between the look-up and the lock."""

    def lock(numbers) -> None:
        Collection.delete().where(Collection.id == number).execute()

    monkeypatch.setattr(store, "lock", lock)


def test_what_is_deleted_while_its_look_is_changed_is_gone(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    page.share(trips, "bob")
    other = browser_of(bob)
    token = other.get(f"/collections/{trips}").one("#own-look [name=csrf_token]")["value"]
    gone_before(monkeypatch, trips)
    answer = other.post(f"/collections/{trips}", {"action": "look", "name": "Mine", "csrf_token": token})
    assert answer.status == 404


@pytest.mark.parametrize("action", ["hide", "seen"])
def test_what_is_deleted_while_it_is_hidden_is_said_to_be_gone(
    page: Browser, trips: int, bob: User, browser_of: Callable[[User], Browser], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    page.share(trips, "bob")
    CollectionShare.update(seen=0).execute()
    other = browser_of(bob)
    token = other.get("/collections").all("[name=csrf_token]")[0]["value"]
    gone_before(monkeypatch, trips)
    answer = other.post("/collections", {"action": action, "number": trips, "csrf_token": token})
    assert answer.status == 200 and ("no longer shared" in answer.text) == (action == "hide")


def test_a_group_that_is_gone_meanwhile_is_not_named_by_its_number(page: Browser, trips: int, group: PeopleGroup) -> None:
    number = group.id
    form = page.get(f"/collections/{trips}")
    token = form.one("#share [name=csrf_token]")["value"]
    group.delete_instance()
    fields = {"action": "give", "who": "", "group": number + 4321, "rights": "read", "csrf_token": token}
    refused = page.post(f"/collections/{trips}/shares", fields)
    assert refused.status == 422 and "is no longer here" in refused.text and str(number + 4321) not in refused.text


def test_a_page_with_a_refused_form_can_be_loaded_again(page: Browser, trips: int) -> None:
    told = page.share(trips, "Nobody At All", "read")
    assert told.status == 422 and [one["id"] for one in told.all("[autofocus]")] == ["who"]
    again = page.get(f"/collections/{trips}/shares", follow=False)
    assert (again.status, again.headers["Location"]) == (303, f"/collections/{trips}#sharing")

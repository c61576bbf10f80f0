"""The directory's pages: people, groups and addresses that one sees; written to, added, taken along; nothing more than that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import auth_app, servers
from tests.support.visits import Visitor
from webmail import create_app
from webmail.auth.providers import people_elsewhere
from webmail.config.directory import ListedAddress, SightRule
from webmail.config.providers import Ldap
from webmail.database.connection import db
from webmail.errors import ServerAwayError
from webmail.models import Contact, User
from webmail.people import groups, listed
from webmail.people.suggestions import account_rows, search_rows
from webmail.people.visibility import sight_of

ADD = "form[action='/contacts/people/add']"


@pytest.fixture
def app(tmp_path):
    away = servers.closed_port()
    made = create_app(
        tmp_path / "instance", sign_in="accounts", domain="lycee.example", imap_port=away, imap_security="none", smtp_port=away,
        server_timeout=1, secure_cookies=False,
    )  # fmt: skip
    with db.connection_context():
        yield made
    db.obj.close()


@pytest.fixture
def school(app):
    found = {name: auth_app.add(f"{name}@lycee.example") for name in ("alice", "bob", "carol", "zoe")}
    for name, shown in (("alice", "Alice Martin"), ("bob", "Bob Durand <b>x</b>"), ("carol", "Carol Petit"), ("zoe", "Zoé Cœur")):
        User.update(name=shown).where(User.id == found[name].id).execute()
    for name, inside in (("4e A", "alice bob"), ("Staff", "carol zoe")):
        groups.add(groups.create("lycee.example", name), [found[one] for one in inside.split()])
    return found


@pytest.fixture
def alice(app, school):
    who = Visitor(app)
    who.submit(who.get("/login"), "form[action='/login']", follow=False, username="alice", password=auth_app.PASSWORD)
    return who


@pytest.fixture
def rules(app):
    def change(**more):
        app.extensions["settings"] = replace(app.extensions["settings"], **more)

    return change


def shown(page):
    return [row.get_text(" ", strip=True) for row in page.all("main table td:first-child")]


def test_people_groups_and_addresses_are_listed(alice, rules):
    rules(directory_addresses=(ListedAddress("Infirmerie", "infirmerie@lycee.example", "Bât. B"),))
    page = alice.get(alice.get("/contacts").link("Directory"))
    assert shown(page) == [
        "Infirmerie infirmerie@lycee.example Bât. B", "Alice Martin alice@lycee.example 4e A",
        "Bob Durand <b>x</b> bob@lycee.example 4e A", "Carol Petit carol@lycee.example Staff", "Zoé Cœur zoe@lycee.example Staff",
    ]  # fmt: skip
    assert [one.get_text(" ", strip=True) for one in page.all("main details li")] == ["4e A 2 people", "Staff 2 people"]
    assert shown(alice.get("/contacts/directory?words=coeur")) == ["Zoé Cœur zoe@lycee.example Staff"]
    assert "No matches" in alice.get("/contacts/directory?words=xyz").text


@pytest.mark.parametrize("sees", ["everyone", "own groups"])
def test_of_very_many_only_those_of_the_page_are_read(app, alice, rules, school, monkeypatch, sees):
    groups.add(groups.find("lycee.example", "4e A"), list(school.values()))
    rules(directory_rules=(SightRule(sees),))
    monkeypatch.setattr(account_rows, "MOST", 3)
    read = []
    monkeypatch.setattr(account_rows, "row_of", lambda *row: read.append(row) or search_rows.row_of(*row))
    sight = sight_of(school["alice"], app.extensions["settings"])
    found, total = listed.people(sight, "", 1, 2)
    assert ([one.name for one in found], total, len(read)) == (["Bob Durand <b>x</b>", "Carol Petit"], 4, 2)
    assert len(shown(alice.get("/contacts/directory"))) == 4


def test_somebody_is_added_written_to_and_taken_along(alice):
    page = alice.get("/contacts/directory/people/carol@lycee.example")
    [write] = [one["href"] for one in page.all("main .toolbar a.btn-primary")]
    assert write.startswith("/compose") and "carol" in write
    card = alice.get(page.link("Download"))
    text = card.response.text
    assert "FN:Carol Petit" in text and "EMAIL;TYPE=INTERNET:carol@lycee.example" in text
    assert alice.get(page.link("QR code")).all("svg")
    alice.submit(page, ADD, follow=False)
    assert Contact.get().name == "Carol Petit"
    assert "in your contacts" in alice.get("/contacts/directory/people/CAROL@lycee.example").text


def test_a_group_shows_its_people_and_is_written_to_by_name(alice):
    page = alice.get(alice.get("/contacts/directory").link("Staff"))
    assert "Carol Petit" in page.text and "Zoé" in page.text and "to=Staff" in page.link("Write to the group")


def test_who_is_not_seen_is_nowhere(alice, rules, school):
    bob, carol = "/contacts/directory/{}/bob@lycee.example", "/contacts/directory/{}/carol@lycee.example"
    staff = alice.get("/contacts/directory").link("Staff")
    rules(directory_rules=(SightRule("own groups"),))
    page = alice.get("/contacts/directory")
    assert shown(page) == ["Alice Martin alice@lycee.example 4e A", "Bob Durand <b>x</b> bob@lycee.example 4e A"]
    assert "Staff" not in page.text and shown(alice.get("/contacts/directory?words=carol")) == []
    for kind in ("people", "qr", "cards"):
        assert alice.get(bob.format(kind)).status == 200 and alice.get(carol.format(kind)).status == 404
        assert alice.get(carol.format(kind).replace("carol", "nobody")).status == 404
    assert alice.get(staff).status == 404
    assert "Carol" not in alice.get("/contacts?words=petit").text and "Durand" in alice.get("/contacts?words=durand").text
    rules(directory_rules=(SightRule("nobody"),))
    assert alice.get("/contacts/directory").status == 404
    assert "/contacts/directory" not in alice.get("/contacts").text
    assert alice.get(bob.format("people")).status == 404


def test_pages_and_odd_addresses(alice, rules):
    rules(page_size=2)
    assert len(shown(alice.get("/contacts/directory"))) == 2
    assert shown(alice.get("/contacts/directory?page=2"))[0].startswith("Carol")
    assert alice.get("/contacts/directory?page=99").status in (200, 303)
    for odd in ("people/%00", "people/x/y", "groups/%2e%2e", "cards/%0d%0aX", "elsewhere?words=%00*)("):
        assert alice.get(f"/contacts/directory/{odd}").status in (200, 303, 400, 404)


def test_it_is_shown_on_devices_and_hidden_again(alice, school):
    page = alice.submit(alice.get("/contacts/directory"), "form[action='/contacts/directory'][method='post']", action="show")
    assert "Your devices will show the directory" in page.notices
    page = alice.submit(page, "form[action='/contacts/directory'][method='post']", action="hide")
    assert "no longer show the directory" in page.notices


# --- LDAP ------------------------------------------------------------------------------------------------------------


class _Talk:
    """What LDAP says to a question."""

    def __init__(self, *people):
        self.people, self.asked = people, []

    def __enter__(self):
        return self

    def __exit__(self, *_more):
        return None

    def find_people(self, words, most):
        self.asked.append((words, most))
        return [_Entry(*one) for one in self.people[:most]]


class _Entry:
    def __init__(self, name, mail, title=""):
        self._values = {"displayName": name, "mail": mail, "title": title}

    def first(self, attribute):
        return self._values.get(attribute, "")


@pytest.fixture
def ldap(monkeypatch, rules):
    pytest.importorskip("ldap", reason="python-ldap is not installed")

    def answer(*people, away=False):
        talk = _Talk(*people)

        def conversation(settings, _ca_file):
            assert settings.timeout <= people_elsewhere.SECONDS
            if away:
                raise ServerAwayError("slow")
            return talk

        monkeypatch.setattr("webmail.auth.providers.ldap.conversation", conversation)
        rules(ldap=Ldap(url="ldap://127.0.0.1", base="dc=x", people_filter="(objectClass=person)"))
        return talk

    return answer


def test_ldap_is_asked_apart_from_the_page_and_names_whom_it_knows_besides(alice, ldap):
    talk = ldap(("Dora Durand", "dora@lycee.example", "Cook"), ("Bob", "bob@lycee.example"), ("Odd", "not an address"))
    page = alice.get("/contacts/directory?words=durand")
    assert not talk.asked and "Dora" not in page.text
    found = alice.get(page.link("without an account"))
    assert talk.asked == [(["durand"], people_elsewhere.MOST + 1)]
    assert shown(found) == ["Dora Durand dora@lycee.example Cook"]
    part = alice.get(page.link("without an account"), htmx="elsewhere")
    assert "<html" not in part.text and "Dora" in part.text
    assert "without an account" not in alice.get("/contacts/directory").text, "nothing was searched for"


def test_a_slow_ldap_is_said_and_the_page_is_there(alice, ldap):
    ldap(away=True)
    page = alice.get("/contacts/directory?words=durand")
    assert len(shown(page)) == 1
    assert "can’t be searched at the moment" in alice.get(page.link("without an account")).text


def test_who_does_not_see_everyone_is_told_nothing_by_ldap(alice, ldap, rules, app, school):
    talk = ldap(("Dora Durand", "dora@lycee.example"))
    rules(directory_rules=(SightRule("own groups"),))
    assert "without an account" not in alice.get("/contacts/directory?words=durand").text
    assert "Dora" not in alice.get("/contacts/directory/elsewhere?words=durand").text and not talk.asked
    settings = app.extensions["settings"]
    assert not people_elsewhere.is_asked(sight_of(school["alice"], settings), "durand", settings)

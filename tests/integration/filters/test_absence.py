"""Out of office on a real Pigeonhole: the page, and who is answered what by it, when mail is delivered by LMTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from deploy.demo import accounts
from tests.support import delivery
from tests.support.contact_pages import add
from tests.support.settings_pages import choose
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail import managesieve
from webmail.errors import ServerAwayError
from webmail.filters import store
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import ActionKind, FilterRule, RuleAction
from webmail.filters.store import Filters
from webmail.models import AllowedAddress, AuditAct, AuditEntry, CalendarObject, Collection, SystemMessage, User
from webmail.preferences import for_user

FORM = "form.absence"
_numbers = count(1)


class Post:
    """Delivers as the world does, and tells what came back to somebody."""

    def __init__(self, services, outside, account_of) -> None:
        self.services, self.outside, self.account_of = services, outside, account_of

    def deliver(self, to: str, sender: str, *, envelope: str | None = None, **headers: str) -> None:
        one = EmailMessage(policy=policy.SMTP)
        one["From"], one["To"], one["Subject"] = sender, headers.pop("To", to), f"Question {next(_numbers)}"
        one["Message-ID"], one["Date"] = f"<{next(_numbers)}@world.test>", datetime.now(UTC)
        for name, value in headers.items():
            one[name.replace("_", "-")] = value
        one.set_content("Bonjour ?")
        delivery.deliver(self.services.ports.lmtp, to, one, sender if envelope is None else envelope)

    def answers(self, to: str) -> list[EmailMessage]:
        """What was sent to an address outside; delivery is over by then, since Pigeonhole answers before it says 250."""
        found = []
        for envelope in sorted(self.outside.glob("*.json")):
            if f'"{to}"' in envelope.read_text():
                found.append(message_from_bytes(envelope.with_suffix(".eml").read_bytes(), policy=policy.default))
        return found


@pytest.fixture
def post(services, outside, account_of):
    return Post(services, outside, account_of)


def stranger() -> str:
    return f"parent-{next(_numbers)}@world.test"


def away(person, **fields):
    fields = {"on": "1", "text": "Je suis absente.", "action": "save"} | fields
    answer = person.submit(person.get("/absence"), FORM, **fields)
    assert answer.status == 200, answer.text
    return answer


@pytest.fixture
def bob(app, make_account):
    """A colleague."""
    return Visitor(app, make_account("bob")).sign_in()


def inbox(imap_of, person) -> list[EmailMessage]:
    client = imap_of(person.address)
    client.select_folder("INBOX", readonly=True)
    return [
        message_from_bytes(found[b"BODY[]"], policy=policy.default)
        for found in client.fetch(client.search(), ["BODY.PEEK[]"]).values()
    ]


def local(zone: str, hours: float = 0) -> dict[str, str]:
    """A date and an hour as they are typed, so many hours from now."""
    at = datetime.now(ZoneInfo(zone)) + timedelta(hours=hours)
    return {"day": f"{at:%Y-%m-%d}", "hour": f"{at:%H:%M}"}


# --- who is answered, and how often ----------------------------------------------------------------------------------


def test_it_is_off_at_first(person, post):
    page = person.get("/absence")
    assert page.status == 200
    assert not page.one("[name=on]").has_attr("checked")
    parent = stranger()
    post.deliver(person.address, parent)
    assert not post.answers(parent)
    assert not person.get("/mailbox/INBOX").all("#away form")


def test_everybody_is_answered_once(person, post):
    page = away(person, subject="Absente jusqu’à lundi")
    assert "Automatic replies are on until you turn them off" in page.notices
    parent, other = stranger(), stranger()
    post.deliver(person.address, parent)
    [answer] = post.answers(parent)
    assert answer["Subject"] == "Absente jusqu’à lundi"
    assert answer["Auto-Submitted"].startswith("auto-replied")
    assert answer.get_content().strip() == "Je suis absente."
    assert person.address in str(answer["From"])
    post.deliver(person.address, parent)
    assert len(post.answers(parent)) == 1
    post.deliver(person.address, other)
    assert len(post.answers(other)) == 1


def test_a_corrected_text_is_not_sent_again(person, post):
    away(person)
    parent = stranger()
    post.deliver(person.address, parent)
    away(person, text="Je suis absente, voyez Bob.")
    post.deliver(person.address, parent)
    assert len(post.answers(parent)) == 1


def test_people_inside_get_another_text(person, bob, post, imap_of):
    away(person, text="Fermé.", text_inside="Voir le planning.")
    parent = stranger()
    post.deliver(person.address, parent)
    post.deliver(person.address, bob.address)
    assert [one.get_content().strip() for one in post.answers(parent)] == ["Fermé."]
    assert [one.get_content().strip() for one in inbox(imap_of, bob)] == ["Voir le planning."]


def test_a_forged_colleague_does_not_get_the_text_for_colleagues(person, bob, post):
    away(person, text="Fermé.", text_inside="Le code du portail est 1234.")
    thief = stranger()
    post.deliver(person.address, bob.address, envelope=thief)
    assert [one.get_content().strip() for one in post.answers(thief)] == ["Fermé."]


@pytest.mark.parametrize(("audience", "theirs"), [("contacts", [1, 0]), ("nobody", [0, 0])])
def test_only_contacts_or_nobody_outside(person, bob, post, imap_of, audience, theirs):
    friend, other = stranger(), stranger()
    add(person, "Zoé", friend)
    away(person, audience=audience)
    for sender in (friend, other, bob.address):
        post.deliver(person.address, sender)
    assert [len(post.answers(friend)), len(post.answers(other))] == theirs
    assert len(inbox(imap_of, bob)) == 1


def test_a_new_contact_is_answered_too(person, post):
    away(person, audience="contacts")
    friend = stranger()
    add(person, "Zoé", friend)

    def answered() -> bool:
        post.deliver(person.address, friend)
        return bool(post.answers(friend))

    eventually(answered, step=0.3)


def test_aliases_are_answered_too(person, post, services):
    alias = f"cpe-{next(_numbers)}@lycee.example"
    with accounts.tables(services.database):
        AllowedAddress.create(user=User.get(User.address == person.address), address=alias)
    away(person)
    mine, unknown = stranger(), stranger()
    post.deliver(person.address, mine, To=alias)
    post.deliver(person.address, unknown, To="somebody-else@world.test")  # a hidden copy (RFC 5230, section 4.5)
    assert [len(post.answers(mine)), len(post.answers(unknown))] == [1, 0]


LISTS_AND_MACHINES = (
    {"List_Id": "<parents.world.test>"}, {"List_Unsubscribe": "<https://world.test/leave>"}, {"Mailing_List": "list x@world.test"},
    {"X_Mailing_List": "x"}, {"Precedence": "bulk"}, {"Precedence": "list"}, {"Precedence": "junk"},
    {"Auto_Submitted": "auto-generated"}, {"Auto_Submitted": "auto-replied"}, {"X_Auto_Response_Suppress": "All"},
    {"X_Autoreply": "yes"}, {"X_Autorespond": "x"}, {"X_Loop": "x@world.test"},
)  # fmt: skip
NOBODY_READS = (
    "mailer-daemon", "MAILER-DAEMON", "postmaster", "owner-parents", "parents-request", "listserv", "majordomo", "noreply",
    "no-reply", "donotreply", "ne-pas-repondre", "bounce+abc", "bounces+123", "parents-bounces",
)  # fmt: skip


@pytest.fixture(params=["absence", "rule"])
def answering(request, person, post):
    """Somebody who answers everybody: who is away, and who has a rule that replies."""
    if request.param == "absence":
        away(person)
        return person
    user, account = User.get(User.address == person.address), post.account_of(person.address)
    rule = FilterRule("Reply", (), (RuleAction(ActionKind.REPLY, "", "Merci."),)).identified()
    with store.changing(user.id, account, "") as change:
        extensions = frozenset({"vacation", "envelope"})
        change.filters, change.place = Filters((rule,)), SievePlace(extensions, addresses=(person.address,))
    return person


def test_lists_and_machines_are_never_answered(answering, post):
    parent = stranger()
    post.deliver(answering.address, parent)
    assert len(post.answers(parent)) == 1
    for headers in LISTS_AND_MACHINES:
        sender = stranger()
        post.deliver(answering.address, sender, **headers)
        assert not post.answers(sender), headers
    for local_part in NOBODY_READS:
        sender = f"{local_part}@machines-{next(_numbers)}.test"
        post.deliver(answering.address, sender)
        assert not post.answers(sender)
        ordinary = stranger()
        post.deliver(answering.address, sender, envelope=ordinary)
        assert not post.answers(ordinary), f"From: {local_part}"


def test_a_bounce_is_never_answered(person, post, outside):
    away(person)
    before = len(list(outside.glob("*.eml")))
    post.deliver(person.address, stranger(), envelope="")
    assert len(list(outside.glob("*.eml"))) == before


def test_nobody_answers_oneself(person, post, imap_of):
    away(person)
    post.deliver(person.address, person.address)
    assert len(inbox(imap_of, person)) == 1


def test_two_who_are_away_do_not_answer_each_other_for_ever(person, bob, post, imap_of):
    away(person)
    away(bob, text="Moi aussi.")
    post.deliver(person.address, bob.address)
    assert [one.get_content().strip() for one in inbox(imap_of, bob)] == ["Je suis absente."]
    [question] = inbox(imap_of, person)
    assert question["Subject"].startswith("Question")


# --- from when until when --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Europe/Paris"])
@pytest.mark.parametrize(
    ("begins", "ends", "answered"), [(-2, 1, True), (-2, None, True), (1, 3, False), (1, None, False), (-0.02, 0.05, True)]
)
def test_it_begins_and_ends_in_one_s_own_time_zone(person, post, zone, begins, ends, answered):
    choose(person, time_zone=zone)
    fields = {"from": local(zone, begins)["day"], "from_hour": local(zone, begins)["hour"]}
    if ends is not None:
        fields |= {"until": local(zone, ends)["day"], "until_hour": local(zone, ends)["hour"]}
    away(person, **fields)
    sender = stranger()
    post.deliver(person.address, sender)
    assert bool(post.answers(sender)) == answered


def test_it_ends_by_itself(person, post):
    """The page refuses an end that is over, so the script is made as time would leave it."""
    away(person)
    edit(person, post, until=datetime.now(UTC) - timedelta(minutes=1), start=datetime.now(UTC) - timedelta(hours=1))
    sender = stranger()
    post.deliver(person.address, sender)
    assert not post.answers(sender)
    page = person.get("/absence")
    assert "ended on" in page.text
    assert not page.one("[name=on]").has_attr("checked")
    assert page.one("[name=text]").get_text().strip() == "Je suis absente."


def edit(person, post, **changes) -> None:
    """Change what is stored, as another program would."""
    account = post.account_of(person.address)
    with store.changing(0, account, "") as change:
        change.filters = replace(change.filters, absence=replace(change.filters.absence, **changes))
        change.place = SievePlace(frozenset(), ("lycee.example",), (person.address,))


def test_both_fields_may_be_one(person):
    page = away(person, **{"from": "2030-12-01T08:30", "from_hour": "", "until": "2030-12-24T18:00Z", "until_hour": ""})
    assert "start on Sunday 1 December 2030, 08:30" in page.notices
    assert [page.one(f"[name={name}]")["value"] for name in ("from", "from_hour", "until", "until_hour")] == [
        "2030-12-01", "08:30", "2030-12-24", "19:00",
    ]  # fmt: skip


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_formatted_text_is_sent_as_both_parts(person, post):
    away(person, text="Je reviens **lundi**.\n\n- un\n- deux <script>x</script>", format="markdown")
    sender = stranger()
    post.deliver(person.address, sender)
    [answer] = post.answers(sender)
    assert answer.get_content_type() == "multipart/alternative"
    plain, html = answer.iter_parts()
    assert plain.get_content().startswith("Je reviens **lundi**.")
    assert "<strong>lundi</strong>" in html.get_content() and "<script" not in html.get_content()


@pytest.mark.parametrize(
    "text",
    [
        '"; discard; redirect "eve@world.test"; #',
        'a\n.\nredirect "eve@world.test";\n.\nb',
        "${subject}\n\\",
        "From nobody\n.\n..\n",
        "é\u2028\U0001f600",
    ],
)
@pytest.mark.parametrize("format", ["", "markdown"])
def test_hostile_text_arrives_as_it_is(person, post, text, format):
    away(person, text=text, subject='"; discard; # ${x}', format=format)
    sender = stranger()
    post.deliver(person.address, sender)
    [answer] = post.answers(sender)
    assert answer["Subject"] == '"; discard; # ${x}'
    plain = answer.get_body(("plain",))
    assert plain.get_content().replace("\r\n", "\n").strip("\n") == text.strip("\n")
    assert not post.answers("eve@world.test")


# --- the page --------------------------------------------------------------------------------------------------------


def test_a_preview_saves_nothing(person, post):
    page = person.submit(
        person.get("/absence"),
        FORM,
        on="1",
        text="Fermé **ici**.",
        text_inside="Interne <b>",
        format="markdown",
        action="preview",
    )
    assert page.status == 200
    assert [one.get_text() for one in page.all("#preview h3")] == ["People outside get", "People in your organisation get"]
    assert page.one("#preview strong").get_text() == "ici"
    assert "Interne <b>" in page.text
    assert page.one("[name=text]").get_text().strip() == "Fermé **ici**."
    sender = stranger()
    post.deliver(person.address, sender)
    assert not post.answers(sender)


def test_buttons_fill_in_the_days_and_keep_what_was_typed(person):
    page = person.submit(person.get("/absence"), FORM, text="Texte", zone="A", action="zone")
    assert page.one("[name=text]").get_text().strip() == "Texte"
    school = next(one["value"] for one in page.all("button[value^='times:school']"))
    page = person.submit(page, FORM, action=school)
    assert f"times:school-{page.one('[name=from]')['value']}" == school
    assert page.one("[name=until]")["value"] > page.one("[name=from]")["value"] and page.all("[name=on][checked]")
    assert person.get("/absence").one("[name=zone] [selected]")["value"] == "A"


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"text": ""}, "text", "Write the reply that people will get."),
        ({"until": "2020-01-01"}, "until", "This time has already passed."),
        ({"from": "soon"}, "from", "Enter a date"),
        ({"from": "2031-01-02", "until": "2031-01-01"}, "until", "later than the beginning"),
        ({"subject": "x" * 301}, "subject", "too long"),
        ({"subject": "a\x07b"}, "subject", "can’t be sent"),
        ({"text": "a\0b"}, "text", "can’t be sent"),
    ],
)
def test_what_can_t_be_is_told_at_its_field(person, fields, field, words):
    page = person.submit(person.get("/absence"), FORM, **({"on": "1", "text": "Absente", "action": "save"} | fields))
    assert page.status == 422
    assert words in page.one(f"#{field}-error").get_text()
    assert page.one(f"#{field}")["aria-invalid"] == "true"


def test_two_tabs_do_not_overwrite_each_other_unasked(person):
    first, second = person.get("/absence"), person.get("/absence")
    person.submit(first, FORM, on="1", text="Un", action="save")
    page = person.submit(second, FORM, on="1", text="Deux", action="save")
    assert page.status == 409
    assert page.one("[name=text]").get_text().strip() == "Deux"
    page = person.submit(page, FORM, action="save")
    assert page.status == 200
    assert page.one("[name=text]").get_text().strip() == "Deux"


def test_a_double_click_is_one(person):
    page = person.get("/absence")
    fields = {"on": "1", "text": "Un", "from": "2030-01-01", "action": "save"}
    assert [person.submit(page, FORM, **fields).status for _ in range(2)] == [200, 200]


def test_rules_and_their_changes_stay(person, post):
    account = post.account_of(person.address)
    rule = FilterRule("a", (), (RuleAction(ActionKind.FLAG),), id="a")
    with store.changing(0, account, "") as change:
        change.filters, change.place = Filters((rule,)), SievePlace(frozenset())
    page = person.get("/absence")
    with store.changing(0, account, "") as change:
        change.filters, change.place = Filters((replace(rule, name="b"),)), SievePlace(frozenset())
    assert person.submit(page, FORM, on="1", text="Absente", action="save").status == 200
    assert [one.name for one in store.load(account).filters.rules] == ["b"]


def test_another_program_s_script_is_said(person, post):
    with managesieve.connect(post.account_of(person.address)) as connection:
        connection.write("theirs", "keep;")
        connection.activate("theirs")
    page = away(person)
    assert "another program’s filters (“theirs”) are active" in page.notices
    assert not person.get("/mailbox/INBOX").all("#away form")


def test_the_server_away_is_said_and_the_form_kept(person, monkeypatch):
    page = person.get("/absence")

    def gone(_account):
        raise ServerAwayError("gone")

    monkeypatch.setattr(managesieve, "connect", gone)
    kept = person.submit(page, FORM, on="1", text="Très long texte", action="save")
    assert kept.status == 502
    assert "not responding" in kept.one("[role=alert]").get_text()
    assert kept.one("[name=text]").get_text().strip() == "Très long texte"
    shown = person.get("/absence")
    assert shown.status == 502 and "not responding" in shown.text and shown.all("nav.settings-nav")


def test_what_was_typed_survives_a_lost_session(person):
    page = person.get("/absence")
    person.client.delete_cookie("traboule")
    asked = person.submit(page, FORM, on="1", text="Très long texte", action="save")
    back = person.submit(asked, "form[action='/login']", username=person.address, password=person.password)
    assert back.address == "/absence"
    assert back.one("[name=text]").get_text().strip() == "Très long texte"
    assert back.one("[name=on]").has_attr("checked")
    assert "not saved yet" in back.notices


def test_days_to_come_are_kept_while_it_is_off(person):
    """Who turns it on later would else answer everybody at once."""
    page = away(person, on="0", **{"from": "2030-12-21", "until": "2031-01-03"})
    assert "stay off until you tick" in page.notices
    assert not page.all("[name=on][checked]")
    assert [page.one(f"[name={name}]")["value"] for name in ("from", "until")] == ["2030-12-21", "2031-01-03"]
    page = person.submit(page, FORM, on="1", action="save")
    assert "Automatic replies start on Saturday 21 December 2030." in page.notices
    page = person.submit(page, FORM, on="0", action="save")
    assert "Saved. Automatic replies are off." in page.notices


def test_after_coming_back_early_only_the_end_is_kept(person):
    page = away(person, until="2031-01-03")
    page = person.submit(page, FORM, on="0", action="save")
    assert [page.one(f"[name={name}]")["value"] for name in ("from", "from_hour", "until")] == ["", "", "2031-01-03"]


# --- the banner ------------------------------------------------------------------------------------------------------


def test_the_banner_is_on_every_page_and_ends_it_with_one_click(person, post):
    away(person, until="2030-12-24")
    page = person.get("/mailbox/INBOX")
    assert "Automatic replies are on until Tuesday 24 December 2030." in page.one("#away").get_text(" ", strip=True)
    assert not person.get("/absence").all("#away form")
    page = person.submit(page, "#away form")
    assert page.address.startswith("/mailbox/INBOX")
    assert "Automatic replies are off." in page.notices
    assert not page.all("#away form")
    sender = stranger()
    post.deliver(person.address, sender)
    assert not post.answers(sender)
    assert person.get("/absence").one("[name=text]").get_text().strip() == "Je suis absente."


def test_the_banner_asks_no_server(person, monkeypatch):
    away(person)
    monkeypatch.setattr(managesieve, "connect", None)
    assert person.get("/contacts").all("#away form")


def test_the_banner_tells_of_what_is_near_and_what_is_over(person, post):
    soon = local("Europe/Paris", 20)
    away(person, **{"from": soon["day"], "from_hour": soon["hour"]})
    assert "Automatic replies start on" in person.get("/contacts").one("#away").get_text()
    away(person, **{"from": "2030-01-01"})
    assert not person.get("/contacts").all("#away form")
    hour = timedelta(hours=1)
    edit(person, post, start=datetime.now(UTC) - 2 * hour, until=datetime.now(UTC) - hour)
    person.get("/absence")
    page = person.get("/contacts")
    assert "Automatic replies ended on" in page.one("#away").get_text()
    assert not person.submit(page, "#away form").all("#away form")


def test_what_another_program_turned_off_is_off_once_filters_are_looked_at(person, post):
    away(person)
    edit(person, post, on=False)
    assert person.get("/contacts").all("#away form")
    person.get("/absence")
    assert not person.get("/contacts").all("#away form")


def test_a_paused_absence_is_not_said_to_be_on(person, post):
    away(person)
    account = post.account_of(person.address)
    with store.changing(0, account, "") as change:
        change.filters, change.place = replace(change.filters, paused=True), SievePlace(frozenset())
    assert "paused" in person.get("/absence").text
    assert not person.get("/contacts").all("#away form")


# --- by an administrator ---------------------------------------------------------------------------------------------


def test_an_administrator_sets_it_for_a_colleague_who_is_ill(app, person, post, services, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("En arrêt jusqu’à nouvel ordre.\n", encoding="utf-8")

    def command(*words: str) -> str:
        result = app.test_cli_runner().invoke(args=["absence", person.address, *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert "off" in command("--show")
    told = command("--until", "2030-12-24", "--subject", "Absence", "--text-file", str(text))
    assert "until 2030-12-24 (Europe/Paris)" in told
    sender = stranger()
    post.deliver(person.address, sender)
    [answer] = post.answers(sender)
    assert answer["Subject"] == "Absence" and answer.get_content().strip() == "En arrêt jusqu’à nouvel ordre."
    assert "En arrêt" in command("--show")
    assert person.get("/contacts").all("#away form")
    assert "no longer answers" in command("--off")
    with accounts.tables(services.database):
        acts = [one.act for one in AuditEntry.select().where(AuditEntry.target == person.address).order_by(AuditEntry.id)]
        assert acts[-2:] == [AuditAct.ABSENCE_SET, AuditAct.ABSENCE_ENDED]
        mails = SystemMessage.select().where(SystemMessage.recipient == person.address, SystemMessage.kind == "absence")
        assert mails.count() == 2
        assert for_user(User.get(User.address == person.address)).absence == ""


# --- undo ------------------------------------------------------------------------------------------------------------

UNDO = "form[action='/absence/undo']"


def test_saving_can_be_undone(person, post, account_of):
    away(person, text="Première.", until_day="2031-03-04")
    saved = away(person, text="Seconde.")
    assert saved.one(UNDO)
    back = person.submit(saved, UNDO)
    assert back.address == "/absence" and "Undone" in back.notices and not back.all(UNDO)
    assert back.one("[name=text]").get_text().strip() == "Première."
    parent = stranger()
    post.deliver(person.address, parent)
    assert [one.get_content().strip() for one in post.answers(parent)] == ["Première."]
    assert "nothing to undo" in person.submit(saved, UNDO).notices  # pressed twice


def test_the_first_absence_undone_answers_nobody(person, post, account_of):
    person.submit(away(person), UNDO)
    parent = stranger()
    post.deliver(person.address, parent)
    assert not post.answers(parent)
    assert store.load(account_of(person.address)).filters == Filters()
    assert not person.get("/mailbox/INBOX").all("#away form")
    last = AuditEntry.select().where(AuditEntry.target == person.address).order_by(AuditEntry.id.desc()).first()
    assert last.act == AuditAct.ABSENCE_ENDED


def test_undo_leaves_a_filter_made_since(person, account_of):
    saved = away(person)
    user, account = User.get(User.address == person.address), account_of(person.address)
    rule = FilterRule("Later", actions=(RuleAction(ActionKind.FLAG),)).identified()
    with store.changing(user.id, account, "") as change:
        change.filters, change.place = replace(change.state.filters, rules=(rule,)), SievePlace(frozenset())
    assert "Undone" in person.submit(saved, UNDO).notices
    assert store.load(account).filters == Filters(rules=(rule,))


def test_an_absence_changed_since_is_not_undone(person, account_of):
    saved = away(person, text="Une.")
    away(person, text="Deux.")
    answer = person.submit(saved, UNDO)
    assert "has been changed since" in answer.notices
    assert store.load(account_of(person.address)).filters.absence.text == "Deux."


def test_ending_by_the_banner_can_be_undone_where_one_was(person, account_of):
    away(person)
    ended = person.submit(person.get("/mailbox/INBOX"), "#away form")
    back = person.submit(ended, UNDO)
    assert back.address.startswith("/mailbox/INBOX") and back.all("#away form")
    assert store.load(account_of(person.address)).filters.absence.on


def test_saving_the_same_again_offers_no_other_undo(person, account_of):
    first = away(person).one(f"{UNDO} [name=undo]")["value"]
    again = away(person)
    assert again.one(f"{UNDO} [name=undo]")["value"] == first
    assert "Undone" in person.submit(again, UNDO).notices
    assert store.load(account_of(person.address)).filters == Filters()


def test_undo_while_the_server_is_away_can_be_tried_again(person, monkeypatch):
    saved = away(person)

    def gone(*_args):
        raise ServerAwayError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(managesieve, "connect", gone)
        assert "Nothing was changed" in person.submit(saved, UNDO).notices
    assert "Undone" in person.submit(saved, UNDO).notices


def test_nobody_undoes_what_another_person_saved(person, bob):
    saved = away(person)
    name = saved.one(f"{UNDO} [name=undo]")["value"]
    token = bob.get("/absence").all("[name=csrf_token]")[0]["value"]
    assert "nothing to undo" in bob.post("/absence/undo", {"csrf_token": token, "undo": name}).notices


# --- in the calendar -------------------------------------------------------------------------------------------------


def test_it_is_an_event_and_declines_where_that_is_chosen_and_has_an_end(person):
    refused = person.submit(person.get("/absence"), FORM, on="1", text="x", in_calendar="1", declines="known", action="save")
    assert refused.status == 422 and "enter an end" in refused.one("#until-error").text
    first = datetime.now(ZoneInfo("Europe/Paris")).date() + timedelta(days=3)
    times = {"from": f"{first}", "until": f"{first + timedelta(days=1)}"}
    page = away(person, **times, in_calendar="1", declines="known", decline_text="Voyez Bob.")
    assert page.one("[name=in_calendar]").has_attr("checked") and page.one("#decline_text").text.strip() == "Voyez Bob."
    user = User.get(User.address == person.address)
    chosen = for_user(user)
    assert (chosen.absence_shown, chosen.absence_declines, chosen.absence_decline_text) == (True, "known", "Voyez Bob.")
    mine = CalendarObject.select().join(Collection).where(Collection.user == user)
    [event] = mine
    assert f"DTEND;VALUE=DATE:{first + timedelta(days=2):%Y%m%d}" in event.text
    person.submit(page, UNDO)
    assert not mine.exists()

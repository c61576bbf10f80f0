"""Kept drafts: typed text is in the Drafts folder at once, or kept here, and the page says which. Nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support import worker
from tests.support.compose_form import FORM, file, text_of, write
from tests.support.relay import Relay
from tests.support.visits import Visitor
from tests.support.worker import jobs_of
from webmail import create_app, imap, vault
from webmail.compose.drafts import draft_copies
from webmail.errors import ServerAwayError
from webmail.imap.connections import circuit_breaker, pool
from webmail.imap.mailbox_list import overviews
from webmail.imap.reading import messages
from webmail.models import DraftRow, Outbox, Worker, now

AWAY = "Saved here but not yet in Drafts: the mail server is not responding."
FULL = "Your mailbox is full: this draft is saved here, not in Drafts."
SAVED = "Saved in Drafts at"


def bodies(found):
    return sorted(message.get_body().get_content().strip() for message in found)


def state_of(page):
    return " ".join(page.one("#saved").get_text().split())


# --- at once ---------------------------------------------------------------------------------------------------------


def test_an_undone_message_is_in_drafts_at_once(alice, bob, stored, app):
    app.extensions["settings"] = replace(app.extensions["settings"], undo_seconds=60)
    page = write(alice, to=bob.address, subject="s", body="hasty", action="send")
    page = alice.submit(page, ".notice form")
    assert bodies(stored(alice, "Drafts")) == ["hasty"]
    assert state_of(page).startswith(SAVED)


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "no sense", "action": "send"},
        {"action": "discard"},
        {"action": "attach", "attachments": file("film.mp4", b"x" * 2_400_000)},
        {"action": "choose"},
        {"action": "from-mail"},
        {"action": "contacts"},
        {"action": "preview"},
    ],
    ids=["a bad address", "discarded half-way", "a refused file", "recipients", "mail to attach", "contacts", "preview"],
)
def test_whatever_one_does_the_text_is_in_drafts_at_once(alice, stored, fields):
    write(alice, **{"subject": "s", "body": "precious", **fields})
    assert bodies(stored(alice, "Drafts")) == ["precious"]
    assert state_of(alice.get(f"/compose/{DraftRow.get().id}")).startswith(SAVED)


def test_recipients_that_were_chosen_are_in_drafts_at_once(alice, bob, stored):
    write(alice, to=bob.address, subject="s", body="b", action="send")
    Outbox.delete().execute()
    DraftRow.delete().execute()
    page = write(alice, to="a@x.example", subject="s", body="precious", action="choose")
    alice.submit(page, "form[action$='/recipients']", cc=["carla@x.example"], action="done")
    [draft] = stored(alice, "Drafts")
    assert "carla@x.example" in str(draft["Cc"])


def test_an_empty_form_leaves_no_empty_draft(alice, stored):
    write(alice, action="choose")
    assert stored(alice, "Drafts") == []


def test_typing_says_where_the_text_is_and_copies_once_a_minute(alice, stored):
    page = alice.get("/compose")
    first = alice.submit(page, FORM, body="one", action="autosave", htmx="saved")
    assert state_of(first).startswith(SAVED)
    second = alice.submit(page, FORM, body="one two", action="autosave", htmx="saved")
    assert state_of(second).startswith("Saved at")
    assert bodies(stored(alice, "Drafts")) == ["one"]
    left = alice.submit(page, FORM, body="one two three", action="autosave")
    assert (left.status, bodies(stored(alice, "Drafts"))) == (204, ["one two three"])


def test_what_no_page_copied_the_worker_does_after_a_minute(alice, stored, work):
    page = alice.get("/compose")
    for text in ("one", "one two"):
        alice.submit(page, FORM, body=text, action="autosave", htmx="saved")
    work()
    assert bodies(stored(alice, "Drafts")) == ["one"]
    DraftRow.update(copy_due=now()).execute()
    work()
    assert bodies(stored(alice, "Drafts")) == ["one two"]
    assert DraftRow.get().copy_due is None


def test_a_try_that_fails_after_another_one_succeeded_says_nothing_false(alice, stored, monkeypatch):
    page, real = alice.get("/compose"), draft_copies.save

    def beaten(row, *more, **named):
        real(DraftRow.get_by_id(row.id), *more, **named)
        raise ServerAwayError("too late")

    with monkeypatch.context() as patch:
        patch.setattr(draft_copies, "save", beaten)
        first = alice.submit(page, FORM, body="one", action="autosave", htmx="saved")
    assert state_of(first).startswith(SAVED) and DraftRow.get().copy_error is None
    alice.submit(page, FORM, body="one two", action="autosave")
    assert bodies(stored(alice, "Drafts")) == ["one two"]


def test_where_the_worker_has_given_up_leaving_the_page_tries_again(alice, stored):
    page = alice.get("/compose")
    alice.submit(page, FORM, body="one", action="autosave", htmx="saved")
    DraftRow.update(copy_error="refused", copy_due=None).execute()
    typed = alice.submit(page, FORM, body="one two", action="autosave", htmx="saved")
    assert state_of(typed).startswith("Saved here but not yet in Drafts")
    alice.submit(page, FORM, body="one two three", action="autosave")
    assert bodies(stored(alice, "Drafts")) == ["one two three"]


# --- the mail server is away -----------------------------------------------------------------------------------------


@pytest.fixture
def relay(services):
    with Relay(services.ports.imap) as running:
        yield running
    imap.close_all()


@pytest.fixture(params=["token", "password"])
def remote(request, app, services, relay, tmp_path, monkeypatch):
    """The application behind the relay; the mail server has a second for each answer."""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del values["instance"], values["jobs_file"], values["uploads_folder"]
    values |= {"imap_port": str(relay.port), "server_timeout": "1", "undo_seconds": 0, "secure_cookies": False}
    if request.param == "password":
        values |= {"token_key_file": "", "passkey_sign_in": False}
    monkeypatch.setattr(circuit_breaker, "PAUSE_SECONDS", 0.0)
    yield create_app(tmp_path / "remote", **values)
    imap.configure(most=200, most_per_person=3, idle_seconds=300, patience=8)


@pytest.fixture
def ann(remote, make_account):
    return Visitor(remote, make_account("remote")).sign_in()


@pytest.fixture
def waits(monkeypatch):
    """Each time that an answer was waited for in vain."""
    found, note = [], pool._fell_silent
    monkeypatch.setattr(pool, "_fell_silent", lambda account, patience: (found.append(patience), note(account, patience)))
    return found


def worker_comes(app):
    DraftRow.update(copy_due=now()).where(DraftRow.copy_due.is_null(False)).execute()
    jobs_of(app).do("drafts")


def answers_again(relay):
    relay.mode = "ok"
    pool._pool.silent.clear()  # as if some seconds had gone by


@pytest.mark.parametrize("mode", ["hang", "refuse"])
def test_a_server_that_is_away_is_said_and_the_worker_saves_once_it_answers(ann, remote, relay, stored, waits, mode):
    form = ann.get("/compose")
    relay.mode = mode
    imap.close_all()
    came = relay.accepted
    page = ann.submit(form, FORM, to="bob@x.example", subject="Été", body="mes mots", action="save")
    assert relay.accepted == came + 1 and len(waits) == 1  # one try, and none for the side bar
    assert (page.status, state_of(page), text_of(page)) == (200, AWAY, "mes mots")
    assert "Saved in Drafts" not in page.one("#saved").get_text()
    jobs_of(remote).do("drafts")
    assert state_of(ann.get(page.address)) == AWAY
    answers_again(relay)
    worker_comes(remote)
    assert bodies(stored(ann, "Drafts")) == ["mes mots"]
    assert state_of(ann.get(page.address)).startswith(SAVED)
    row = DraftRow.get()
    assert (row.credential, row.copy_due, row.copy_error, row.copy_mark) == (None, None, None, None)


def test_a_password_that_is_refused_is_not_tried_again(ann, remote, relay, stored):
    if remote.extensions["settings"].token_key_file:
        pytest.skip("no password is kept")
    form = ann.get("/compose")
    relay.mode = "hang"
    imap.close_all()
    ann.submit(form, FORM, body="mes mots", action="save")
    row = DraftRow.get()
    assert b"demo" not in bytes(row.credential)
    wrong = vault.seal_for_outbox("changed", remote.extensions["settings"].secret_key, row.user.id)
    DraftRow.update(credential=wrong).execute()
    answers_again(relay)
    worker_comes(remote)
    row = DraftRow.get()
    assert (row.credential, row.copy_due, row.body) == (None, None, "mes mots")
    page = ann.submit(ann.get(form.one(FORM)["action"]), FORM, action="save")
    assert state_of(page).startswith(SAVED)


def test_typing_never_waits_twice_for_a_server_that_is_away(ann, relay):
    form = ann.get("/compose")
    relay.mode = "hang"
    imap.close_all()
    first = ann.submit(form, FORM, body="one", action="autosave", htmx="saved")
    assert state_of(first) == AWAY
    dialled = relay.accepted
    for text in ("one two", "one two three"):
        assert state_of(ann.submit(form, FORM, body=text, action="autosave", htmx="saved")) == AWAY
    assert relay.accepted == dialled
    assert DraftRow.get().body == "one two three"


def test_drafts_kept_here_are_listed_where_one_looks_for_them(ann, relay, stored, monkeypatch):
    form = ann.get("/compose")
    relay.mode = "hang"
    imap.close_all()
    ann.submit(form, FORM, to="bob@x.example", subject="<b>Été", body="mes mots", action="save")
    lost = ann.get("/mailbox/Drafts")
    assert lost.status == 502 and lost.one(".kept-drafts a").get_text() == "<b>Été"
    answers_again(relay)
    page = ann.get("/mailbox/Drafts")
    assert page.rows == []
    assert "The mail server did not respond" in page.one(".kept-drafts").get_text()
    assert text_of(ann.get(page.one(".kept-drafts a")["href"])) == "mes mots"
    assert ann.get("/mailbox/INBOX").all(".kept-drafts") == []
    after = ann.submit(page, "#messages", action=page.one("#messages .kept-drafts button")["value"])
    assert "1 draft moved to Drafts." in after.notices
    assert (after.rows, after.all(".kept-drafts")) == (["<b>Été"], [])
    assert bodies(stored(ann, "Drafts")) == ["mes mots"]


def test_what_the_worker_has_no_password_for_is_not_said_to_go_by_itself(alice, monkeypatch):
    monkeypatch.setattr("webmail.compose.outbox.status.is_stopped", lambda: False)
    page = alice.get("/compose")
    for text in ("one", "one two"):
        alice.submit(page, FORM, body=text, action="autosave", htmx="saved")
    DraftRow.update(copy_due=now() - timedelta(seconds=1)).execute()
    assert "moved there" in alice.get("/mailbox/Drafts").one(".kept-drafts").get_text()
    for trouble in (None, "away"):
        DraftRow.update(copy_error=trouble, copy_due=None).execute()
        assert "moved there" not in alice.get("/mailbox/Drafts").one(".kept-drafts").get_text()


def test_nobody_sees_the_drafts_of_others(alice, bob):
    form = alice.get("/compose")
    alice.submit(form, FORM, body="one", action="autosave", htmx="saved")
    alice.submit(form, FORM, subject="secret", body="two", action="autosave", htmx="saved")
    assert alice.get("/mailbox/Drafts").all(".kept-drafts") == []  # it is being written
    DraftRow.update(copy_due=now()).execute()
    told = alice.get("/mailbox/Drafts").one(".kept-drafts").get_text()
    assert "secret" in told and "within a minute or two" in told
    Worker.update(seen=now() - timedelta(minutes=3)).execute()
    assert "within a minute or two" not in alice.get("/mailbox/Drafts").one(".kept-drafts").get_text()
    assert bob.get("/mailbox/Drafts").all(".kept-drafts") == []


def test_other_folders_ask_nothing_about_drafts(alice, monkeypatch):
    asked = []
    monkeypatch.setattr("webmail.compose.drafts.unsynced_drafts.of_user", lambda user: asked.append(user) or [])
    alice.get("/mailbox/INBOX")
    alice.get("/mailbox/Sent")
    assert asked == []
    alice.get("/mailbox/Drafts")
    assert len(asked) == 1


def test_two_windows_on_one_draft_lose_nothing_while_the_server_is_away(ann, remote, relay, stored):
    one = ann.submit(ann.get("/compose"), FORM, subject="s", body="first", action="save")
    other = ann.get(one.address)
    relay.mode = "hang"
    imap.close_all()
    ann.submit(one, FORM, body="typed in one", action="save")
    ann.submit(other, FORM, body="typed in the other", action="save")
    answers_again(relay)
    worker_comes(remote)
    worker_comes(remote)
    assert bodies(stored(ann, "Drafts")) == ["typed in one", "typed in the other"]


# --- room ------------------------------------------------------------------------------------------------------------


def test_a_full_mailbox_is_said_and_the_draft_goes_there_once_there_is_room(app, make_account, stored, imap_of, work):
    poor = Visitor(app, make_account("poor", quota=20_000)).sign_in()
    imap_of(poor.address).append("INBOX", b"Subject: large\r\n\r\n" + b"x" * 17_000)
    page = write(poor, subject="s", body="mots " * 2_000, action="save")
    assert page.status == 200
    assert FULL in state_of(page)
    assert stored(poor, "Drafts") == []
    assert "Your mailbox is full." in poor.get("/mailbox/Drafts").one(".kept-drafts").get_text()
    client = imap_of(poor.address)
    client.select_folder("INBOX")
    client.delete_messages(client.search())
    client.expunge()
    DraftRow.update(copy_due=now()).execute()
    work()
    assert len(stored(poor, "Drafts")) == 1
    assert state_of(poor.get(page.address)).startswith(SAVED)


# --- attempts without an outcome -------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def interrupted(monkeypatch):
    """`with interrupted(error)`: the server takes the copy, and its answer is never heard."""

    def at_append(error):
        def append(*args, **named):
            messages.append(*args, **named)
            raise error

        patch = pytest.MonkeyPatch.context()
        context = patch.__enter__()
        context.setattr(draft_copies, "messages", _Instead(messages, append))
        return patch

    return at_append


class _Instead:
    def __init__(self, module, append):
        self.module, self.append = module, append

    def __getattr__(self, name):
        return getattr(self.module, name)


@pytest.fixture(params=[ServerAwayError("no answer"), Killed()], ids=["no answer", "killed"])
def unheard(request, interrupted, alice):
    """A draft of Alice whose copy is in Drafts, though nothing here knows it."""
    form = alice.get("/compose")
    patch = interrupted(request.param)
    try:
        alice.submit(form, FORM, to="bob@x.example", subject="s", body="first", action="save")
    except Killed:
        pass
    finally:
        patch.__exit__(None, None, None)
    pool._pool.silent.clear()
    assert DraftRow.get().copy_mark
    return form


def test_a_copy_that_nobody_heard_of_is_not_doubled(alice, stored, unheard, app):
    assert bodies(stored(alice, "Drafts")) == ["first"]
    worker_comes(app)
    assert bodies(stored(alice, "Drafts")) == ["first"]
    page = alice.submit(alice.get(unheard.one(FORM)["action"]), FORM, body="second", action="save")
    assert state_of(page).startswith(SAVED)
    assert bodies(stored(alice, "Drafts")) == ["second"]


def test_a_copy_that_nobody_heard_of_opens_its_own_draft(alice, stored, unheard):
    [draft] = stored(alice, "Drafts")
    page = alice.get(f"/draft/{draft.uid}/Drafts")
    assert page.one(FORM)["action"] == unheard.one(FORM)["action"]
    alice.submit(page, FORM, body="second", action="save")
    assert bodies(stored(alice, "Drafts")) == ["second"]


def test_a_copy_that_nobody_heard_of_goes_with_the_draft(alice, stored, unheard):
    page = alice.submit(alice.get(unheard.one(FORM)["action"]), FORM, action="discard-now")
    assert "discarded" in page.notices
    assert stored(alice, "Drafts") == []


def test_a_copy_that_nobody_heard_of_goes_once_the_message_is_sent(alice, bob, stored, unheard, work):
    page = alice.get(unheard.one(FORM)["action"])
    alice.submit(page, FORM, to=bob.address, action="send")
    work()
    assert bodies(stored(bob, "INBOX")) == ["first"]
    assert stored(alice, "Drafts") == []
    assert DraftRow.select().count() == 0


def test_a_rebuilt_folder_doubles_nothing(alice, stored, imap_of):
    page = write(alice, subject="s", body="first", action="save")
    _rebuild(imap_of(alice.address))
    [draft] = stored(alice, "Drafts")
    assert DraftRow.get().saved_uidvalidity != imap_of(alice.address).folder_status("Drafts", ["UIDVALIDITY"])[b"UIDVALIDITY"]
    alice.submit(page, FORM, body="second", action="save")
    assert bodies(stored(alice, "Drafts")) == ["second"]


def test_a_draft_of_a_rebuilt_folder_opens_as_it_is_here(alice, stored, imap_of):
    page = write(alice, subject="s", body="first", action="save")
    _rebuild(imap_of(alice.address))
    [draft] = stored(alice, "Drafts")
    again = alice.get(f"/draft/{draft.uid}/Drafts")
    assert again.one(FORM)["action"] == page.one(FORM)["action"]
    alice.submit(again, FORM, body="second", action="save")
    assert bodies(stored(alice, "Drafts")) == ["second"]


def test_a_copy_that_the_user_made_of_a_draft_stays(alice, stored, imap_of):
    page = write(alice, subject="s", body="first", action="save")
    client = imap_of(alice.address)
    client.select_folder("Drafts")
    client.copy(client.search(), "Drafts")
    alice.submit(page, FORM, body="second", action="save")
    assert bodies(stored(alice, "Drafts")) == ["first", "second"]
    copy = next(draft for draft in stored(alice, "Drafts") if "first" in draft.get_body().get_content())
    assert alice.get(f"/draft/{copy.uid}/Drafts").one(FORM)["action"] != page.one(FORM)["action"]


def _rebuild(client):
    """The folder as it was, with another UIDVALIDITY and other UIDs."""
    client.rename_folder("Drafts", "Former")
    client.create_folder("Drafts")
    client.select_folder("Former")
    client.copy(client.search(), "Drafts")
    client.unselect_folder()
    client.delete_folder("Former")
    imap.close_all()
    overviews._overviews.clear()


# --- the page after Send ---------------------------------------------------------------------------------------------


def test_the_page_after_send_waits_for_a_mute_server_once(ann, relay, waits):
    worker.alive()
    form = ann.get("/compose")
    ann.get("/mailbox/INBOX")  # a connection that is kept, and falls silent
    relay.mode = "hang"
    page = ann.submit(form, FORM, to="bob@x.example", subject="s", body="b", action="send")
    assert len(waits) == 1
    assert page.address == "/outbox"
    assert "will be sent automatically" in page.notices

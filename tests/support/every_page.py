"""Every page there is, with something on it, for tests that look at all of them: widths, accessibility, pictures."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from email.message import EmailMessage, Message
from email.mime.text import MIMEText
from urllib.parse import quote

from imapclient import IMAPClient

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.letters.tnef import winmail
from deploy.demo.services import Services
from tests.support import calendar_ground as ground
from tests.support.appointment_pages import appointment_pages
from tests.support.attachments import PNG, file, letter, zipped
from tests.support.calendar_ground import put
from tests.support.compose_form import FORM
from tests.support.contact_pages import CARD, EDIT, add, group
from tests.support.groups import group as people_group
from tests.support.http_visits import HttpVisitor
from tests.support.messages import message
from tests.support.owned_things import taken_out
from tests.support.poll_pages import poll_pages
from tests.support.rooms import event_text
from tests.support.sealed_pages import sealed_pages
from tests.support.settings_pages import PAGES as SETTINGS_PAGES
from tests.support.transfer_pages import asking_pages, own_transfers, public_pages
from tests.support.visits import Page
from tests.support.watched_things import watch
from webmail.auth.devices import app_passwords
from webmail.calendar import objects
from webmail.calendar.rooms import resources
from webmail.calendar.rooms.bookings import Booker
from webmail.calendar.rooms.resources import RoomDescription
from webmail.collections import store as collections
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.models import (
    CalendarLink,
    CalendarObject,
    CalendarSubscription,
    Collection,
    ConnectedService,
    GuestLink,
    Keyring,
    KnownCertificateRow,
    Occurrence,
    OwnKeyRow,
    PlainRecipient,
    RemoteAccount,
    RemoteItem,
    RemoteLink,
    Session,
    StagedCertificate,
    TrustedDevice,
    User,
    now,
)
from webmail.transfers import links

ALICE, BOB, ADMIN = accounts.ALICE.address, accounts.BOB.address, accounts.ADMIN.address
_LONG = "Compte rendu de la réunion interdisciplinaire extraordinaire"  # words that do not fit a narrow screen
_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
_HTML = '<p>Bonjour</p><a href="https://evil.example/">https://bank.example/</a><img src="https://list.example/a.png">'

_KEYS_ASKED_AGAIN = (
    "keys.show_beginning", "keys.show_sheet", "keys.show_passphrase", "keys.ask_to_delete", "keys.show_import", "keys.show_export",
    "keys.ask_to_revoke", "keys.ask_to_remove", "keys.show_taking", "keys.show_passkeys",
)  # fmt: skip

ADMIN_PAGES = {
    "admin": "/admin",
    "audit": "/admin/audit",
    "admin-people": "/admin/people",
    "admin-person": "/admin/people/1",
    "admin-person-edit": "/admin/people/1/edit",
    "admin-person-limits": "/admin/people/1/limits",
    "admin-person-address": "/admin/people/1/address",
    "admin-domains": "/admin/domains",
    "admin-domain": "/admin/domains/lycee.example",
    "admin-establishments": "/admin/establishments",
    "admin-establishment": "/admin/establishments/1",
    "admin-establishment-policy": "/admin/establishments/1/policy",
    "admin-person-new": "/admin/people/new",
    "checks": "/admin/checks",
    "dns": "/admin/dns",
    "overview": "/admin/overview",
    "desk": "/admin/desk",
    "desk-case": "/admin/desk/1",
    "list-forwards": "/admin/lists",
    "list-recovery": "/admin/lists/no-recovery",
    "reports": "/admin/reports",
    "report": "/admin/reports/1",
    "refused-senders": "/admin/senders",
    "admin-transfers": "/admin/transfers",
    "admin-rooms": "/admin/rooms",
    "admin-groups": "/admin/groups",
    "admin-group": "/admin/groups/1",
    "admin-group-policy": "/admin/groups/1/policy",
    "admin-settings": "/admin/settings",
    "admin-settings-identity": "/admin/settings/identity",
    "admin-settings-links": "/admin/settings/links",
    "admin-settings-policies": "/admin/settings/policies",
    "admin-register": "/admin/settings/register",
    "admin-room": "/admin/rooms/1",
    "admin-services": "/admin/services",
    "admin-room-new": "/admin/rooms/new",
    "admin-handovers": "/admin/handovers",
    "admin-restores": "/admin/restores",
    "admin-version": "/admin/version",
    "restore": "/account/restore",
    "admin-handover-new": "/admin/handovers/new",
    "admin-departure": "/admin/departures/1",
    "admin-people-import": "/admin/people/import",
    "admin-people-sheets": "/admin/people/sheets",
    "admin-school-year": "/admin/people/school-year",
    "admin-group-collections": "/admin/groups/1/collections",
    "deputy": "/deputy",
    "deputy-person": "/deputy/1",
}

# endpoints that answer GET with something else than a page of their own
NO_PAGES = frozenset(
    [
        "services.choose_in_google",  # leads on to Google
        "static",
        "api.answer",
        "api.openapi",
        "healthz",
        "too_large",
        "home",
        "calendar.find_first",  # pieces beside the results of a search
        "contacts.find_first",
        "mailbox.find_first_files",
        "mailbox.suggest_searches",  # what the search box offers
        "contacts.directory_card",  # a file
        "contacts.directory_elsewhere",  # a piece of the directory's page, from LDAP
        "contacts.directory_group",  # as that of a group of contacts
        "message.body",
        "message.show_opened",
        "message.opened_file",
        "message.part",
        "message.raw",
        "message.image",
        "message.all_files",
        "message.other_messages",  # pieces of a conversation, for scripts
        "message.unfolded",
        "message.packed",
        "appointments.booking_file",
        "appointments.list_file",
        "calendar.guest_file",
        "polls.answers_csv",
        "transfers.trail_csv",
        "transfers.save_worker",  # a script
        "compose.outbox_row",
        "compose.picture",
        "compose.signature_picture",
        "compose.original",
        "compose.rendered",
        "compose.state",
        "compose.show_awaited",  # leads to a message
        "compose.suggest",
        "compose.resume",
        "mailbox.ask_folder",
        "todo.message_of",  # leads to a message
        "calendar.go",  # leads to the page of a day
        "mailbox.go",
        "services.end_consent",  # leads to a page
        *_KEYS_ASKED_AGAIN,  # and for those who have just given a factor again: tests/unit/keys/test_key_pages.py
        "keys.certificate",
        "keys.advanced_key",
        "keys.direct_key",
        "keys.key_policy",
        "mailbox.with_role",  # leads to a list
        "filters.from_words",
        "mailbox.news",
        "mailbox.push",
        "mailbox.push_alone",
        "mailbox.room_report",
        "collections.suggest",
        "collections.shown_again",  # leads to the page of one
        "admin.shown_again",  # leads to the list
        "admin.audit_table",
        "admin.report_body",  # a frame
        "metrics",
        "admin.export_people",  # a file
        "admin.people_import",  # of a file that waits: states
        "admin.planned_school_year",
        "admin.password_sheet",  # once, on paper: tests/browser/admin/test_paper_passwords.py
        "contacts.card",
        "calendar.export_all",
        "calendar.export_calendar",
        "calendar.export_event",
        "calendar.attached_file",
        "calendar.due_now",  # a piece of every page
        "calendar.find_time",  # while the form of an event waits: states
        "calendar.kept_form",  # leads back to the form of an event
        "collections.feed",
        "calendar.show_import",  # of a file that waits: states
        "contacts.import_columns",  # of a file that waits: states
        "contacts.show_import",
        "contacts.export",
        "contacts.photo",
        "contacts.act_on_chosen",  # leads to writing, printing, or a file
        "auth.show_sessions",  # leads to the page of devices
        "auth.show_wish",  # for people at the second step: tests/browser/auth
        "auth.confirm_for_voucher",
        "dav.new_server",  # for those who have just given a factor again: tests/unit/dav/test_server_pages.py
        "dav.choose_collections",  # asks the other server
        "dav.service_collections",  # asks the service: tests/unit/dav/test_service_collections.py
        "auth.show_second_step",
        "auth.show_totp",  # and for those who have just given a factor again
        "auth.ask_to_remove_totp",
        "auth.show_recovery_codes",
        "auth.show_keys",
        "auth.show_mail_codes",
        "auth.show_reset_link",  # for who was mailed or texted the way there: tests/browser/auth/test_forgot.py
        "auth.show_reset_code",
        "auth.show_new_password",
        "auth.ask_to_remove_key",
        "auth.ask_temporary_password",  # tests/browser/auth/test_deputy.py
        "auth.ask_to_remove_factors",
        "auth.show_sheet",
        "auth.show_profile",  # for a telephone, once: tests/browser/auth/test_connect.py
        "auth.thunderbird",  # what programs ask for
        "accounts.show_accent",  # a style sheet, and a picture
        "accounts.show_logo",
        "accounts.show_support_sent",  # for who has sent something: tests/browser/accounts/test_support.py
        "auth.begin_cas",  # what leads to a provider and back: tests/browser/auth/test_cas.py and test_providers.py
        "filesender.index",  # the demo has no FileSender: tests/unit/filesender
        "filesender.one",
        "filesender.of_transfer",
        "filesender.guests",
        "filesender.connect",
        "transfers.file",
        "transfers.archive",
        "transfers.picture",
        "auth.end_cas",
        "auth.confirm_by_cas",
        "auth.connect_by_cas",
        "auth.begin_proxy",
        "auth.confirm_by_proxy",
        "auth.connect_by_proxy",
        "auth.begin_oidc",
        "auth.end_oidc",
        "auth.leave_oidc",
        "auth.confirm_by_oidc",
        "auth.connect_by_oidc",
        "auth.passkey_options",
        "accounts.task_state",
        "filters.download_rules",
        "filters.download_script",
        "accounts.task_result",
        "auth.show_terms",  # the demo has none: tests/browser/auth/test_first_sign_in.py
    ]
)


def furnish(demo: Services) -> dict[str, str]:
    """Fill the demo's Alice with one of everything; the addresses of her pages, by a name for each."""
    with accounts.tables(demo.database):
        people_group("Maths", ALICE, BOB)
        people_group("4e B", BOB)
        establishments.set_domains(establishments.make("Annexe"), ["annexe.lycee.example"])
        user = User.get(User.address == ALICE)
        _letters, phone = app_passwords.add(user, _LONG[:60], ["imap", "smtp"], kind="iphone")
        app_passwords.add(user, "Stage", ["imap"], now() - timedelta(days=1))
        row = {"token_hash": "0" * 64, "user": user, "user_agent": _FIREFOX, "expires": now() + timedelta(days=20)}
        TrustedDevice.insert(row).on_conflict_ignore().execute()
    alice = HttpVisitor(demo.address, "", ALICE, demo.password, "fr").sign_in()
    writing = _writing(alice)
    watch(demo, ALICE)
    return {
        **_simple_pages(),
        "connected": f"/devices/connected/{phone.id}",
        **_folders(alice),
        **_messages(demo, alice),
        **writing,
        **_contacts(alice),
        **_collections(demo, alice),
        **_calendar(demo),
        **_todos(alice),
        **_servers(demo),
        **_connected_services(demo, writing["draft"]),
        **_keys(demo),
        **sealed_pages(demo, ALICE, BOB),
        **_settings(alice),
        **_tasks(alice),
        **_filters(alice),
        **_archiving(alice),
        **public_pages(demo, ALICE),
        **asking_pages(demo, ALICE),
        **own_transfers(demo, ALICE),
        **appointment_pages(demo, ALICE),
        **poll_pages(demo, ALICE),
    }


def _todos(alice: HttpVisitor) -> dict[str, str]:
    """Lists with something in each section, and the pages of one thing."""
    today = date.today()
    for title, fields in (
        (_LONG, {"due": str(today - timedelta(days=3)), "priority": "1"}), ("Arroser", {"due": str(today), "repeat": "weekly"}),
        ("Copies", {"due": str(today + timedelta(days=90)), "percent": "30", "reminder": "60"}), ("Un jour", {}),
    ):  # fmt: skip
        alice.submit(alice.get("/todo/new"), "form.form", title=title, **fields)
    one = str(alice.get("/todo").all("[data-todo] a")[0]["href"])
    alice.submit(alice.get(_link(alice.get(one), r"/todo/new\?parent")), "form.form", title="Une partie")
    of_list = _link(alice.get("/todo"), "/todo/lists/")
    return {"todo": "/todo", "todo-list": of_list, "todo-new": "/todo/new", "todo-item": one, "todo-finish": f"{one}/done"}


def _simple_pages() -> dict[str, str]:
    return {
        "inbox": "/mailbox/INBOX", "found": "/mailbox/INBOX?query=conseil", "nothing-found": "/mailbox/INBOX?query=zzzz",
        "empty": "/mailbox/Archive", "search": "/search", "files": "/files", "folders": "/folders", "devices": "/devices", "api": "/api",
        "password": "/account/password", "account": "/account", "confirm": "/account/confirm", "vouchers": "/account/vouchers",
        "recovery": "/account/recovery", "phone": "/account/phone", "forgot": "/forgot", "forgot-sent": "/forgot/sent",
        "no-such-folder": "/mailbox/nope", "keys": "/help/keys?of=reading", "help": "/help", "help-found": "/help?query=signature", "help-page": "/help/filters", "outbox": "/outbox", "import": "/import", "settings": "/settings",
        "side-by-side": "/calendar/side-by-side", "settings-working-hours": "/settings/working-hours",
        "connect": "/devices/connect", "connect-kind": "/devices/connect/iphone", "settings-found": "/settings?q=image", **{f"settings-{slug}": f"/settings/{slug}" for slug in SETTINGS_PAGES},
        "room": "/room", "absence": "/absence", "forwarding": "/forwarding", "support": "/support", "own-requests": "/account/requests", "privacy": "/privacy", "legal": "/legal", "accessibility": "/accessibility", "transfers": "/transfers", "transfers-new": "/transfers/new", "providers": "/account/providers",
    }  # fmt: skip


def _folders(alice: HttpVisitor) -> dict[str, str]:
    """A folder shared with everybody that one can share with, a tag, something snoozed."""
    alice.submit(alice.get("/folders"), "#new-folder", name=_LONG)
    here = f"/folder/{_LONG}"
    for fields in ({"who": BOB}, {"kind": "group", "who": "Maths"}, {"kind": "everyone"}):
        assert alice.submit(alice.get(here), "#share", action="give", **fields).status == 200, fields
    alice.submit(alice.get("/tags"), "main form:has([value=add])", name="urgent", action="add")
    inbox = alice.get("/mailbox/INBOX")
    alice.submit(inbox, "#messages", action="later:tomorrow", uids=str(inbox.all("[data-row]")[-1]["data-uid"]))
    return {"folder": here, "tags": "/tags", "snoozed": "/snoozed", "empty-trash": "/empty/Trash", **_awaited(alice)}


def _awaited(alice: HttpVisitor) -> dict[str, str]:
    """A sent message to which a reply is awaited; some of the first have been answered."""
    links = [str(link["href"]) for link in alice.get("/mailbox/Sent").all("[data-row] .s a[id]")[:10]]
    for sent in links:
        page = alice.get(sent)
        if not page.all("[data-awaited]"):
            page = alice.submit(page, "details.awaited form")
        if page.all("[data-awaited=open]"):
            return {"awaited": "/awaited", "awaited-message": sent}
    raise AssertionError(f"nobody waits for a reply to one of {links}")


def _messages(demo: Services, alice: HttpVisitor) -> dict[str, str]:
    """The pages of messages that have something to show."""
    inner = message("Message transmis", "Voir plus bas")
    wrapped: Message = EmailMessage()
    wrapped["Subject"], wrapped["From"], wrapped["To"] = "En pièce jointe", BOB, ALICE
    wrapped.set_content("Ci-joint")  # type: ignore[attr-defined]
    wrapped.add_attachment(inner)  # type: ignore[attr-defined]
    list_letter = message(
        "Bulletin", "Bonne lecture", List_Unsubscribe="<https://list.example/leave?1>", List_Id="<bulletin.list.example>"
    )
    links = message("Lien")
    links.set_content(_HTML, subtype="html")
    several = letter(
        _LONG, file("notes.txt", b"Ligne\n" * 50, "octet-stream"), file("photo.png", PNG, "octet-stream"),
        file("archives.zip", zipped("un.txt", "dossier/deux.pdf"), "zip"), MIMEText(CARD, "vcard"), text="Voir",
    )  # fmt: skip
    outlook = letter("Outlook", file("winmail.dat", winmail(), "ms-tnef"))
    phishing = message("Votre compte", "Cliquez", "Banque <banque@list.example>")
    uid = _appended(demo, several, wrapped, list_letter, links, outlook, phishing)
    pages = {
        f"message-{name}": f"/message/{uid + at}/Divers"
        for at, name in enumerate(("files", "wrapped", "list", "links", "outlook"))
    }
    shown = {name: alice.get(address) for name, address in pages.items()}
    frame = alice.get(str(shown["message-links"].one("iframe[data-message-body], iframe")["src"]))
    found = {
        "view": _link(shown["message-files"], "/view/"),
        "people-of": f"/contacts/of/{uid}/Divers",
        "save-to-drive": f"/save-to-drive/{uid}/Divers",
        "event-of-message": f"/calendar/of/{uid}/Divers",
        "todo-of-message": f"/todo/of/{uid}/Divers",
        "review-card": f"/contacts/from/{uid}/5/Divers",  # the fifth part
        "nested": _link(shown["message-wrapped"], "/inside/"),
        "unsubscribe": _link(shown["message-list"], "/unsubscribe/"),
        "leave": _link(frame, "/leave"),
        "filter-from": f"/filters/from/{uid + 2}/Divers",
        "winmail": _link(shown["message-outlook"], "/winmail/"),
    }
    here = f"{uid}/Divers"
    more = {name: f"/{name}/{here}" for name in ("headers", "print", "conversation", "reply", "forward", "send-on")}
    fields = {name: shown["message-files"].all(f"[name={name}]")[0]["value"] for name in ("csrf_token", "v")}
    assert alice.post(f"/report/{uid + 5}/Divers", fields).status == 200
    return {**pages, **found, **more, "images": "/images"}


def _appended(demo: Services, *messages: Message) -> int:
    """The UID of the first of these messages, in the folder Divers."""
    client = IMAPClient(HOST, demo.ports.imap, ssl=False, timeout=20)
    client.login(ALICE, demo.password)
    client.create_folder("Divers")
    for one in messages:
        client.append("Divers", one.as_bytes())
    client.select_folder("Divers", readonly=True)
    first = min(client.search())
    client.logout()
    return int(first)


def _writing(alice: HttpVisitor) -> dict[str, str]:
    """A draft with a file, one that waits to leave, and what one chooses from."""
    alice.submit(alice.get("/compose"), FORM, to=BOB, subject=_LONG, body="Demain", action="later:tomorrow")
    draft = alice.submit(alice.get("/compose"), FORM, to=BOB, subject="Brouillon", body="Texte", action="save")
    address = str(draft.one(FORM)["action"])
    return {
        "compose": "/compose", "draft": address, "recipients": f"{address}/recipients", "draft-contacts": f"{address}/contacts",
        "draft-mail": f"{address}/mail", "draft-mail-files": f"{address}/mail/1/Divers", "draft-large": f"{address}/large",
    }  # fmt: skip


def _calendar(demo: Services) -> dict[str, str]:
    """Each view of a month with events that overlap, last for days, go over midnight and recur."""
    begin = (date.today() + timedelta(days=40)).replace(day=1)
    with accounts.tables(demo.database):
        calendar = collections.default_collection(User.get(User.address == ALICE), collections.CALENDAR)
        for number, (title, start, end) in enumerate(
            [(_LONG, "08T085500", "08T095000"), ("Réunion", "08T090000", "08T110000"), ("Nuit", "09T220000", "10T020000"),
             ("Voyage", "10T080000", "14T180000"), *[(f"Entretien {hour}", f"16T{hour}0000", f"16T{hour}4500") for hour in range(10, 17)]]
        ):  # fmt: skip
            day = f";TZID=Europe/Paris:{begin:%Y%m}"
            put(
                calendar,
                f"{number} {title}",
                f"{day}{start}",
                f"{day}{end}",
                "LOCATION:Salle 12",
                *(["RRULE:FREQ=WEEKLY"] if number == 1 else []),
            )
    views = {view: f"/calendar/{view}/{begin.replace(day=8)}" for view in ("day", "workweek", "week", "month", "agenda", "year")}
    with accounts.tables(demo.database):
        row = CalendarObject.get(CalendarObject.collection == calendar, CalendarObject.recurring == 1)
        event = f"/calendar/events/{row.collection_id}/{quote(row.href)}"
        at = f"?at={Occurrence.get(Occurrence.object == row.id).recurrence_id}"
    return {
        **_rooms(demo, begin),
        "event": f"{event}{at}",
        "event-series": event,
        "event-edit": f"{event}/edit{at}",
        "event-delete": f"{event}/delete{at}",
        "event-move": f"{event}/move",
        "event-new": "/calendar/events/new",
        "event-words": "/calendar/events/new?words=lundi+18h+R%C3%A9union+salle+12",
        "event-search": "/calendar/search?words=entretien",
        "calendar": "/calendar",
        "reminders": "/calendar/reminders",
        "calendar-empty": "/calendar/agenda/1990-01-01",
        **{f"calendar-{view}": place for view, place in views.items()},
    }


def _rooms(demo: Services, begin: date) -> dict[str, str]:
    """Rooms with a long name and much in them; a series that has one but for a date, and one that waits."""
    with accounts.tables(demo.database):
        alice, bob = (User.get(User.address == address) for address in (ALICE, BOB))
        many = ("Vidéoprojecteur", "Tableau numérique", "Prises à chaque place", "Piano")
        large = resources.save(
            RoomDescription(_LONG[:80], capacity=120, equipment=many, site="Bâtiment A", longest=240), "example.org"
        )
        small = resources.save(RoomDescription("Salle 101", capacity=30, approval=True, approver=alice), "example.org")
        resources.save(RoomDescription("Vidéoprojecteur", "thing", copies=3), "example.org")
        times = f";TZID=Europe/Paris:{begin:%Y%m}"
        _book(bob, event_text("Concert", f"{times}15T090000", f"{times}15T110000", rooms=(large,)))
        row = _book(
            alice, event_text("Chorale", f"{times}08T093000", f"{times}08T103000", "RRULE:FREQ=WEEKLY", rooms=(large, small))
        )
        _book(bob, event_text("Examen", f"{times}09T140000", f"{times}09T170000", rooms=(small,)))
        day = begin.replace(day=8)
    return {
        "rooms": "/rooms",
        "rooms-search": f"/rooms?q=salle+pour+20+avec+piano+et+sauna&day={day}&from=09:00",
        "room-week": f"/rooms/{large.id}?day={day}",
        "room-requests": "/rooms/requests",
        "event-rooms": f"/calendar/events/{row.collection_id}/{quote(row.href)}",
        "event-rooms-edit": f"/calendar/events/{row.collection_id}/{quote(row.href)}/edit",
    }


def _book(user: User, text: str) -> CalendarObject:
    """An event in somebody's first calendar, with its rooms."""
    calendar, found = collections.default_collection(user, collections.CALENDAR), objects.prepared(text, ground.PARIS)
    row = CalendarObject.get_or_none(CalendarObject.collection == calendar, CalendarObject.uid == found[0].uid)
    with db.atomic():
        return objects.write(calendar.id, f"{found[0].uid}.ics", text, found, row, Booker(user, ground.PARIS, optional=True))


def guest_page(user: User, link: str = "g" * 27) -> str:
    """A meeting to which somebody without an account is invited: the address of their page."""
    uid = f"meeting-{link}"
    people = f"ORGANIZER:mailto:{user.address}\r\nATTENDEE;CN=Ève:mailto:eve@elsewhere.example"
    event = f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20301210T090000Z\r\nSUMMARY:{_LONG}\r\n{people}\r\nEND:VEVENT"
    if not CalendarObject.select().where(CalendarObject.uid == uid).exists():
        ground.put_text(collections.default_collection(user, collections.CALENDAR), uid, event)
    text = CalendarObject.get(CalendarObject.uid == uid).text
    told = {"nonce": "0" * 32, "link_hash": links.link_hash(link), "text": text, "ends": 1 << 40}
    GuestLink.get_or_create(user=user, uid=uid, recipient="eve@elsewhere.example", defaults=told)
    return f"/i/{link}"


def _subscribed(user: User) -> dict[str, str]:
    """A calendar from elsewhere that has gone, with an event that can't be shown as it was meant; one that anybody can read."""
    first, token = collections.default_collection(user, collections.CALENDAR), "a-calendar-for-everybody"
    hashed = hashlib.sha256(token.encode()).hexdigest()
    CalendarLink.get_or_create(token_hash=hashed, defaults={"user": user, "collection": first, "kind": "page", "whole": 1})
    props = json.dumps({collections.NAME: "Emploi du temps"})
    values = {"kind": "calendar", "derived": "subscription", "props": props}
    calendar, _new = Collection.get_or_create(user=user, name="followed", defaults=values)
    told = {"host": "cal.example.org", "secret": b"x", "error": "gone", "left": 1, "notes": '[["once", "Sortie"]]'}
    told |= {"due": now() + timedelta(days=1), "tried": now(), "succeeded": now()}
    CalendarSubscription.get_or_create(user=user, collection=calendar, defaults=told)
    return {
        "calendar-import": "/calendar/import",
        "calendar-addresses": f"/collections/{first.id}/addresses",
        "calendar-public": f"/calendar/public/{token}",
        "guest-page": guest_page(user),
        "subscribe": "/calendar/subscriptions/new",
        "subscription": f"/calendar/subscriptions/{calendar.id}",
    }


def _servers(demo: Services) -> dict[str, str]:
    """A server that refuses the password, with a question and entries to look at."""
    with accounts.tables(demo.database):
        user = User.get(User.address == ALICE)
        RemoteAccount.delete().where(RemoteAccount.user == user).execute()
        server = RemoteAccount.create(user=user, url="https://nuage.example/", login="alice", secret=b"x", error="password")
        for number in (0, 1):
            calendar, _new = Collection.get_or_create(user=user, name=f"other-{number}", defaults={"kind": "calendar"})
            url = f"https://nuage.example/{number}/"
            link = RemoteLink.create(account=server, collection=calendar, url=url, missing="there" * number, missing_count=180)
            RemoteItem.create(link=link, name="a.ics", note="conflict", title=_LONG)
        subscribed = _subscribed(user)
    return subscribed | {"servers": "/collections/servers", "servers-disconnect": f"/collections/servers/{server.id}/disconnect"}


def _keys(demo: Services) -> dict[str, str]:
    """A key that ends soon and one that was revoked, and two of others."""
    with accounts.tables(demo.database):
        user = User.get(User.address == ALICE)
        for table in (Keyring, OwnKeyRow, KnownCertificateRow, PlainRecipient, StagedCertificate):
            table.delete().where(table.user == user).execute()
        StagedCertificate.create(user=user, digest="a" * 64, name=f"{ALICE}.p12", sealed=b"x", told=now())
        Keyring.create(user=user)
        User.update(has_keys=1).where(User.id == user.id).execute()
        known = {"kind": "openpgp", "certificate": b"x", "algorithm": "Curve25519"}
        soon = now() + timedelta(days=9)
        for letter, more in (("A", {"preferred": True, "published": True, "expires": soon}), ("B", {"revoked": now()})):
            key = OwnKeyRow.create(user=user, fingerprint=letter * 40, addresses=ALICE, sealed=b"x", made=now(), **known, **more)
        for letter, more in (
            ("C", {"checked": now(), "origin": "wkd"}),
            ("D", {"blocked": now(), "origin": "met", "times_met": 3}),
        ):
            address = f"anne-charlotte.{letter.lower()}@etablissement-scolaire.example"
            other = KnownCertificateRow.create(user=user, address=address, fingerprint=letter * 40, name=_LONG, **known, **more)
            PlainRecipient.create(user=user, address=f"never.{address}")
    return {
        "encryption": "/encryption", "key": f"/encryption/keys/{key.id}", "keys-of-others": "/encryption/people",
        "key-of-another": f"/encryption/people/{other.id}", "open-keys": "/encryption/open",
    }  # fmt: skip


def _connected_services(demo: Services, draft: str) -> dict[str, str]:
    """One that works and one whose consent was taken back."""
    with accounts.tables(demo.database):
        user = User.get(User.address == ALICE)
        ConnectedService.delete().where(ConnectedService.user == user).execute()
        scopes = "Files.Read Calendars.ReadWrite Contacts.ReadWrite"
        ended = {"state": "refused", "problem": "consent"}
        for title, more in ((_LONG, {}), ("Microsoft", ended)):
            made = ConnectedService.create(
                user=user, provider="microsoft", title=title, login="alice.martin@etablissement-scolaire.example", scopes=scopes,
                secret=b"x", **more,
            )  # fmt: skip
        held = {"provider": "nextcloud", "state": "refused", "problem": "unreadable"}  # nothing is asked anywhere
        for title in ("Nuage", f"Nuage {_LONG}"):
            drive = ConnectedService.create(user=user, title=title, login="alice", secret=b"x", **held)
        archive = taken_out(user)
    return {
        "takeout": f"/import/takeout/{archive}",
        "drives": "/drives", "drive": f"/drives/{drive.id}", "draft-drives": f"{draft}/drive",
        "draft-drive": f"{draft}/drive/{drive.id}",
        "draft-drive-links": f"{draft}/drive/{drive.id}/links",  # leads to the files, since the service refuses
        "draft-large-drive": f"{draft}/large/drive",
        "drive-connect": "/services/nextcloud/connect",
        "services": "/services", "service": f"/services/{made.id}", "service-connect": "/services/google/connect",
        "service-disconnect": f"/services/{made.id}/disconnect",
    }  # fmt: skip


def _contacts(alice: HttpVisitor) -> dict[str, str]:
    add(alice, f"Zoé {_LONG}", "zoe.petit.de.la.fontaine@etablissement-scolaire.example")
    group(alice, "Équipe", "bob@lycee.example")
    listed = alice.get("/contacts")
    one = listed.link("Zoé").partition("?")[0]
    add(alice, "Zoé P.", "zoe.petit.de.la.fontaine@etablissement-scolaire.example", note="Déléguée", categories="Parents")
    compared = alice.get("/contacts/duplicates").link("Compare")
    return {
        "contacts": "/contacts", "contact": one, "contact-edit": f"{one}/edit", "contact-new": "/contacts/new",
        "group-new": "/contacts/groups/new", "contacts-import": "/contacts/import",
        "directory": "/contacts/directory", "directory-person": f"/contacts/directory/people/{ALICE}",
        "directory-qr": f"/contacts/directory/qr/{ALICE}",
        "people": "/contacts/people", "duplicates": "/contacts/duplicates", "duplicates-compare": compared,
        "contacts-move": f"/contacts/move?uid={one.rsplit('/', 1)[-1]}",
        "contacts-print": "/contacts/print", "contact-qr": f"{one}/qr", "contact-history": f"{one}/history",
        "contact-files": f"{one}/files", "contact-category": "/contacts/categories?name=Parents", "contact-meetings": one.replace("/contacts/", "/calendar/with/"),
    }  # fmt: skip


def _collections(demo: Services, alice: HttpVisitor) -> dict[str, str]:
    """A calendar that is shared, and one of Bob's that Alice manages."""
    bob = HttpVisitor(demo.address, "", BOB, demo.password, "fr").sign_in()
    theirs = bob.submit(bob.get("/collections/new?kind=calendar"), "#new-collection", name=_LONG, description="Salles")
    bob.submit(theirs, "#share", who=ALICE, rights="manage", action="give")
    made = alice.submit(alice.get("/collections/new?kind=calendar"), "#new-collection", name=_LONG, description=_LONG)
    one = made.address
    alice.submit(made, "#share", who=f"{BOB}, Maths", rights="busy", action="give")
    return {
        "collections": "/collections", "collection": one, "collection-managed": theirs.address, "collection-new": "/collections/new?kind=addressbook",
        "collections-trash": "/collections/trash",
    }  # fmt: skip


def _settings(alice: HttpVisitor) -> dict[str, str]:
    """An identity, a signature and a template: their lists, their pages, and the question before they go."""
    pages: dict[str, str] = {}
    made: dict[str, Callable[[], Page]] = {
        "identities": lambda: alice.submit(alice.get("/settings/identities/new"), EDIT, name="Alice", address=ALICE),
        "signatures": lambda: alice.submit(alice.get("/settings/signatures/new"), EDIT, name="Courte", text="Alice"),
        "templates": lambda: alice.submit(alice.get("/settings/templates/new"), EDIT, name="Absence", subject="s", body="b"),
    }
    for area, make in made.items():
        make()
        one = _link(
            alice.get(f"/settings/{area}"), rf"/settings/{area}/[1-9]\d*$"
        )  # 0 is the account itself, which can't be removed
        pages |= {
            area: f"/settings/{area}",
            f"{area}-new": f"/settings/{area}/new",
            f"{area}-one": one,
            f"{area}-remove": f"{one}/remove",
        }
    return pages


def _tasks(alice: HttpVisitor) -> dict[str, str]:
    alice.confirm().submit(alice.get("/account/data"), "form[action='/account/data']")
    return {
        "tasks": "/tasks",
        "account-data": "/account/data",
        "account-name": "/account/name",
        "account-substitutes": "/account/substitutes",
        "account-delete": "/account/delete",
    }


def _filters(alice: HttpVisitor) -> dict[str, str]:
    for words in (_LONG, "newsletter\ninfo@list.example"):
        fields = {"name": words.split("\n")[0], "conditions-0-values": words, "actions-0-value": "Archive", "stop": "1"}
        alice.submit(alice.get("/filters/new"), "form.rule-form", action="save", **fields)
    for sender, where in ((f"{'x' * 60}@{'long-name-' * 6}.example", "blocked"), ("list.example", "blocked"), (BOB, "safe")):
        alice.submit(alice.get("/filters/senders"), "#sender-form", sender=sender, action=where)
    found = alice.get("/filters")
    text = 'require "fileinto";\r\nif header :contains "subject" "devis" { fileinto "Archive"; }\r\n'
    alice.submit(alice.get("/filters/script"), "form[action^='/filters/script']", name="phone", text=text)
    return {
        "filters": "/filters",
        "filter-new": "/filters/new?field=weekday&match=is&action=reply",
        "filter": _link(found, "/filters/rule/"),
        "filter-import": "/filters/import",
        "senders": "/filters/senders",
        "scripts": "/filters/scripts",
        "script": "/filters/script?name=phone",
        "script-ours": "/filters/script?name=traboule",
        "script-new": "/filters/script",
    }


def _archiving(alice: HttpVisitor) -> dict[str, str]:
    """A rule, whose page is shown, and what it would do."""
    alice.submit(alice.get("/archiving/new"), "form.archive-form", action="save", folder="INBOX", amount="1", unit="months")
    found = alice.get("/archiving")
    return {
        "archiving": "/archiving",
        "archiving-new": "/archiving/new",
        "archiving-rule": _link(found, "/archiving/rule/"),
        "archiving-preview": _link(found, "/archiving/preview"),
    }


def _link(page: Page, pattern: str) -> str:
    """The first address on a page that begins with this pattern."""
    found = [str(tag["href"]) for tag in page.all("a[href]") if re.match(pattern, str(tag["href"]))]
    assert found, f"no link to {pattern} on {page.address}: {page.text[:500]}"
    return found[0]


def confirm_administrator(demo: Services) -> None:
    """As if the administrator had said the password again, in every session: pages of administration ask for it once."""
    with accounts.tables(demo.database):
        Session.update(confirmed=now()).where(Session.user == User.get(User.address == ADMIN)).execute()

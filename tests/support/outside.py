"""Mail that a demo sent to the outside world, which it keeps as files."""

from __future__ import annotations

import re

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

"""Detection of what somebody chose: which program's rules a file holds, by what stands in it."""

from __future__ import annotations

import re

from webmail.filters.imports.found import FoundRules, NotReadableError, text_of
from webmail.filters.imports.gmail import read_gmail
from webmail.filters.imports.own_json import read_own_json
from webmail.filters.imports.sieve_script import read_script
from webmail.filters.imports.thunderbird import read_thunderbird
from webmail.filters.imports.zimbra import read_zimbra_json, read_zimbra_xml

_THUNDERBIRD = re.compile(r'\s{0,20}(?:version|logging|name)="', re.IGNORECASE)


def read_rules(data: bytes) -> FoundRules:
    """Raises NotReadableError, and nothing else, in time proportional to the data's length."""
    text = text_of(data)
    head = text[:20_000].lstrip()
    if not head:
        raise NotReadableError("empty")
    if head[0] == "<":
        return read_gmail(text) if "<feed" in head else read_zimbra_xml(text)
    if head.startswith('{"traboule"'):
        return read_own_json(text)
    if head[0] in "{[":
        return read_zimbra_json(text)
    if _THUNDERBIRD.match(head):
        return read_thunderbird(text)
    return read_script(text)

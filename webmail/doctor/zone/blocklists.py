"""Blocklists: whether others refuse mail of this server because of its addresses (RFC 5782).

Asked only when somebody wants to know: the lists learn which addresses one cares about.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.doctor.zone import wanted
from webmail.doctor.zone.questions import DnsQuestions, NoDnsAnswerError

LISTS = {
    "zen.spamhaus.org": "https://check.spamhaus.org/",
    "bl.spamcop.net": "https://www.spamcop.net/bl.shtml",
    "b.barracudacentral.org": "https://www.barracudacentral.org/lookups",
}
_NAME = "Blocklists"
_REFUSED = "127.255.255."  # what Spamhaus says to resolvers that it does not serve


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Of each address (`server_addresses`), one result for each list that has it or can't be asked; else one for all."""
    addresses = wanted.addresses(settings)
    if not addresses:
        yield CheckResult(_NAME, WARNING, _l("were not asked: the addresses of this server are not known (server_addresses)."))
        return
    questions = DnsQuestions(settings.server_timeout)
    for address in addresses:
        found = list(_listings(address, questions))
        words = _l("%(address)s is on none of %(lists)s.", address=address, lists=", ".join(LISTS))
        yield from found or [CheckResult(_NAME, OK, words)]


def _listings(address: str, questions: DnsQuestions) -> Iterator[CheckResult]:
    for name, page in LISTS.items():
        try:
            answers = questions.values(query_name(address, name), "A")
        except NoDnsAnswerError as error:
            words = _l("%(list)s could not be asked about %(address)s (%(why)s).", list=name, address=address, why=why(error))
            yield CheckResult(_NAME, WARNING, words)
            continue
        if any(answer.startswith(_REFUSED) for answer in answers):
            words = _l("%(list)s does not answer the DNS resolver of this machine: use one of your own.", list=name)
            yield CheckResult(_NAME, WARNING, words)
        elif listed := [answer for answer in answers if answer.startswith("127.")]:
            words = _l(
                "%(address)s is on %(list)s (%(answers)s): others refuse your messages. See why, and ask to be removed: %(page)s",
                address=address, list=name, answers=", ".join(listed), page=page,
            )  # fmt: skip
            yield CheckResult(_NAME, PROBLEM, words)


def query_name(address: str, name: str) -> str:
    """Where a list answers for an address: its parts backwards (RFC 5782 section 2.1), for IPv6 its nibbles (2.4)."""
    return ipaddress.ip_address(address).reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa") + f".{name}"

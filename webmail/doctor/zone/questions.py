"""Questions to DNS: each is asked once, with an end for all of them, of the resolvers of this machine."""

from __future__ import annotations

import threading
import time
from typing import Any

from webmail.errors import EnglishText as _l

SECONDS = 60.0  # for all questions of one look


class NoDnsAnswerError(OSError):
    """No DNS server answers from here, or not for this name, or the time for all is over."""


class DnsQuestions:
    """What resolvers answer, kept for as long as this object; several threads may ask."""

    def __init__(self, timeout: float, seconds: float = SECONDS) -> None:
        """`timeout`: of each question."""
        self._timeout = timeout
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[list[str] | None, bool]] = {}
        self._answered = False
        self._silent = 0

    def values(self, name: str, kind: str) -> list[str]:
        """As a zone file has them; none where there is no such record. Raises NoDnsAnswerError."""
        return self._answer(name, kind)[0] or []

    def exists(self, name: str) -> bool:
        """Whether there is anything at this name or below it (RFC 8020). Raises NoDnsAnswerError."""
        return self._answer(name, "TXT")[0] is not None

    def texts(self, name: str) -> list[str]:
        """Texts of a name, each in one piece and without quotes. Raises NoDnsAnswerError."""
        return [value.replace('" "', "").strip('"') for value in self.values(name, "TXT")]

    def addresses(self, name: str) -> list[str]:
        """Raises NoDnsAnswerError."""
        return [*self.values(name, "A"), *self.values(name, "AAAA")]

    def is_signed(self, name: str) -> bool:
        """Whether the resolver has proved the addresses of a name (DNSSEC). Raises NoDnsAnswerError."""
        return any(self._answer(name, kind)[1] for kind in ("A", "AAAA"))

    def _answer(self, name: str, kind: str) -> tuple[list[str] | None, bool]:
        name = f"{name.rstrip('.').lower()}."
        with self._lock:
            if found := self._known.get((name, kind)):
                return found
            if self._silent >= 2 and not self._answered:
                raise NoDnsAnswerError(_l("no DNS server answers"))
        try:
            answer = self._look_up(name, kind)
        except NoDnsAnswerError:
            with self._lock:
                self._silent += 1
            raise
        with self._lock:
            self._answered = True
            self._known[name, kind] = answer
        return answer

    def _look_up(self, name: str, kind: str) -> tuple[list[str] | None, bool]:
        """The values, None where the name does not exist at all; and whether the answer is proved."""
        import dns.exception  # imported when first needed
        import dns.flags
        import dns.resolver

        left = min(self._timeout, self._end - time.monotonic())
        if left <= 0:
            raise NoDnsAnswerError(_l("the time for all questions is over"))
        try:
            found = self._resolver().resolve(name, kind, lifetime=left, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return None, False
        except (dns.exception.DNSException, OSError) as error:
            raise NoDnsAnswerError(str(error)) from error
        proved = bool(found.response.flags & dns.flags.AD)
        return [record.to_text() for record in found.rrset or ()], proved

    def _resolver(self) -> Any:
        """This machine's, asking to be told of signatures."""
        import copy

        import dns.flags
        import dns.resolver

        resolver = copy.copy(dns.resolver.get_default_resolver())
        resolver.flags = dns.flags.RD | dns.flags.AD
        return resolver

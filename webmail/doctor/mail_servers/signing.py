"""Doctor, signing: whether DNS has what other servers ask to believe mail from our domains: DKIM keys, SPF and DMARC.

Without them mail goes to junk or is refused elsewhere. What is signed, and how, is the mail server's: see "Signing what you send"
in docs/administrator/mail-servers.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from webmail.auth.devices.servers import domains
from webmail.config.settings import Settings
from webmail.doctor import dns
from webmail.doctor.result import OK, WARNING, CheckResult

_ADVICE = 'See "Signing what you send" in docs/administrator/mail-servers.md.'


def examine(settings: Settings) -> Iterator[CheckResult]:
    """One result for each domain that DNS can know; ends at the first that no DNS server answers for."""
    for domain in domains(settings):
        if dns.is_nobodys(domain):
            continue
        try:
            yield _judged(domain, settings.server_timeout)
        except dns.NoDnsAnswerError:
            yield CheckResult(f"Mail from {domain}", WARNING, "no DNS server answers, so SPF, DKIM and DMARC were not checked.")
            return


def _judged(domain: str, timeout: float) -> CheckResult:
    """Three questions. The names of DKIM keys are not known here: but where there is one, what is above it exists (RFC 8020)."""
    missing = []
    if not dns.exists(f"_domainkey.{domain}.", timeout):
        missing.append(f"no DKIM key (nothing is below _domainkey.{domain})")
    if not _says(domain, "v=spf1", timeout):
        missing.append("no SPF record")
    if not _says(f"_dmarc.{domain}", "v=DMARC1", timeout):
        missing.append("no DMARC record")
    if not missing:
        return CheckResult(f"Mail from {domain}", OK, "DNS has a DKIM key, SPF and DMARC.")
    words = f"{', '.join(missing)}: other servers may take it for junk, or refuse it. {_ADVICE}"
    return CheckResult(f"Mail from {domain}", WARNING, words)


def _says(name: str, begin: str, timeout: float) -> bool:
    return any(value.strip('"').lower().startswith(begin.lower()) for value in dns.ask(f"{name}.", "TXT", timeout))

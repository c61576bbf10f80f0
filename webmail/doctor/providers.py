"""Doctor, ways to sign in: whether providers of OpenID Connect and the CAS server answer, and what is set of a proxy makes
sense."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator

from webmail.auth.providers import cas, oidc_server
from webmail.auth.providers.cas import CasFault, CasRefusedError
from webmail.auth.providers.oidc_server import ProviderAwayError, ProviderRefusedError
from webmail.config.providers import Cas, Oidc, ProxySignIn
from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, told, why
from webmail.doctor.result import lazy_gettext as _l

_WIDEST = {4: 1 << 16, 6: 1 << 80}  # addresses that may well all be proxies


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Nothing where none is set."""
    for provider in settings.oidc:
        yield _oidc(provider, settings)
    if settings.cas is not None:
        yield _cas(settings.cas, settings)
    if settings.proxy_sign_in is not None:
        yield from _proxy(settings.proxy_sign_in, settings)


def _oidc(provider: Oidc, settings: Settings) -> CheckResult:
    """Read its configuration and keys, and ask about a code that nobody has: it says invalid_grant, if it knows this webmail."""
    name = f"OpenID Connect, {provider.name}"
    back = f"{settings.public_url.rstrip('/')}/login/oidc/{provider.name}/callback"
    form = {"grant_type": "authorization_code", "code": "doctor", "redirect_uri": back, "code_verifier": secrets.token_hex(32)}
    try:
        if not oidc_server.usable_keys(provider):
            words = _l(
                "%(issuer)s tells no key that signatures can be checked with: let it sign by RS256 or ES256, for example.",
                issuer=provider.issuer,
            )
            return CheckResult(name, PROBLEM, words)
        oidc_server.tokens(provider, form)
    except ProviderRefusedError as error:
        if "client" not in str(error):
            return CheckResult(name, OK, _l("%(url)s answers, and knows this webmail.", url=provider.issuer))
        words = _l(
            "%(issuer)s does not know this webmail (%(why)s): check client_id and client_secret, and register %(address)s there.",
            issuer=provider.issuer, why=why(error), address=back,
        )  # fmt: skip
        return CheckResult(name, PROBLEM, words)
    except ProviderAwayError as error:
        words = _l(
            "%(issuer)s can’t be asked (%(why)s): nobody can sign in by it. Check issuer, ca_file and the network.",
            issuer=provider.issuer, why=why(error),
        )  # fmt: skip
        return CheckResult(name, PROBLEM, words)
    return CheckResult(name, PROBLEM, _l("%(url)s accepts a code that nobody has: sign nobody in by it.", url=provider.issuer))


def _cas(rules: Cas, settings: Settings) -> CheckResult:
    """Ask about a ticket that nobody has: a CAS server says INVALID_TICKET, if it knows this webmail."""
    name, service = "CAS", f"{settings.public_url.rstrip('/')}/login/cas/callback?state=doctor"
    try:
        cas.validate(rules, service, f"ST-doctor-{secrets.token_hex(8)}", settings)
    except CasRefusedError as error:
        match error.fault:
            case CasFault.TICKET:
                words = _l("%(url)s answers, and takes tickets for %(address)s.", url=rules.url, address=settings.public_url)
                return CheckResult(name, OK, words)
            case CasFault.SERVICE:
                words = _l(
                    "%(url)s answers, but does not know this webmail: register %(address)s there, with any query behind it.",
                    url=rules.url, address=service.partition("?")[0],
                )  # fmt: skip
                return CheckResult(name, PROBLEM, words)
            case CasFault.AWAY:
                words = _l(
                    "%(url)s can’t be reached (%(why)s): nobody can sign in by it. Check cas.url, ca_file and the network.",
                    url=rules.url, why=told(error.why),
                )  # fmt: skip
                return CheckResult(name, PROBLEM, words)
            case CasFault.ODD:
                words = _l(
                    "%(url)s gives no answer of CAS 3 (%(why)s). cas.url is the address before /login, often ending in /cas.",
                    url=rules.url, why=told(error.why),
                )  # fmt: skip
                return CheckResult(name, PROBLEM, words)
    return CheckResult(name, PROBLEM, _l("%(url)s accepts a ticket that nobody has: sign nobody in by it.", url=rules.url))


def _proxy(rules: ProxySignIn, settings: Settings) -> Iterator[CheckResult]:
    name, fine = "Proxy sign-in", True
    for text in rules.addresses.split(","):
        network = ipaddress.ip_network(text.strip())
        if network.num_addresses >= _WIDEST[network.version]:
            fine = False
            words = _l(
                "believes %(header)s from all of %(network)s: anyone there can pass for anybody. Name the proxies alone.",
                header=rules.header, network=network,
            )  # fmt: skip
            yield CheckResult(name, PROBLEM, words)
    if "-" in rules.header:
        fine = False
        words = _l(
            "%(header)s can also be written with _ for -, which looks the same here. See that the proxy drops both, or take "
            "a name without hyphens.",
            header=rules.header,
        )
        yield CheckResult(name, WARNING, words)
    if not settings.proxies:
        fine = False
        words = _l(
            "proxies is 0, though a proxy is in front: all visitors seem to come from it, and are slowed down together. Set "
            "proxies = 1."
        )
        yield CheckResult(name, WARNING, words)
    if fine:
        yield CheckResult(
            name, OK, _l("%(header)s is believed from %(addresses)s.", header=rules.header, addresses=rules.addresses)
        )

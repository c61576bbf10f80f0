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
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult

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
            words = f"{provider.issuer} tells no key that signatures can be checked with (RS256 or ES256, for example)."
            return CheckResult(name, PROBLEM, words)
        oidc_server.tokens(provider, form)
    except ProviderRefusedError as error:
        if "client" not in str(error):
            return CheckResult(name, OK, f"{provider.issuer} answers, and knows this webmail.")
        words = f"{provider.issuer} does not know this webmail ({error}): check client_id and client_secret, and register"
        return CheckResult(name, PROBLEM, f"{words} {back} there.")
    except ProviderAwayError as error:
        words = f"{provider.issuer} can't be asked ({error}): nobody can sign in by it. Check issuer, ca_file and the network."
        return CheckResult(name, PROBLEM, words)
    return CheckResult(name, PROBLEM, f"{provider.issuer} takes a code that nobody has: sign nobody in by it.")


def _cas(rules: Cas, settings: Settings) -> CheckResult:
    """Ask about a ticket that nobody has: a CAS server says INVALID_TICKET, if it knows this webmail."""
    name, service = "CAS", f"{settings.public_url.rstrip('/')}/login/cas/callback?state=doctor"
    try:
        cas.validate(rules, service, f"ST-doctor-{secrets.token_hex(8)}", settings)
    except CasRefusedError as error:
        match error.fault:
            case CasFault.TICKET:
                return CheckResult(name, OK, f"{rules.url} answers, and takes tickets for {settings.public_url}.")
            case CasFault.SERVICE:
                words = (
                    f"{rules.url} answers, but does not know this webmail: register {service.partition('?')[0]} there, with any"
                )
                return CheckResult(name, PROBLEM, f"{words} query behind it.")
            case CasFault.AWAY:
                words = (
                    f"{rules.url} can't be reached ({error}): nobody can sign in by it. Check cas.url, ca_file and the network."
                )
                return CheckResult(name, PROBLEM, words)
            case CasFault.ODD:
                words = (
                    f"{rules.url} gives no answer of CAS 3 ({error}). cas.url is the address before /login, often ending in /cas."
                )
                return CheckResult(name, PROBLEM, words)
    return CheckResult(name, PROBLEM, f"{rules.url} takes a ticket that nobody has: sign nobody in by it.")


def _proxy(rules: ProxySignIn, settings: Settings) -> Iterator[CheckResult]:
    name, fine = "Proxy sign-in", True
    for text in rules.addresses.split(","):
        network = ipaddress.ip_network(text.strip())
        if network.num_addresses >= _WIDEST[network.version]:
            fine = False
            words = f"believes {rules.header} from all of {network}: whoever is there can be anybody. Name the proxies alone."
            yield CheckResult(name, PROBLEM, words)
    if "-" in rules.header:
        fine = False
        words = (
            f"{rules.header} can also be written with _ for -, which looks the same here. See that the proxy drops both, or take"
        )
        yield CheckResult(name, WARNING, f"{words} a name without hyphens.")
    if not settings.proxies:
        fine = False
        words = "proxies is 0, though a proxy is in front: all visitors seem to come from it, and are slowed down together."
        yield CheckResult(name, WARNING, words)
    if fine:
        yield CheckResult(name, OK, f"{rules.header} is believed from {rules.addresses}.")

"""Words about how connected services are set up, for administrators: what is missing, and what the test of a provider found."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.config.settings import Settings
from webmail.services.provider_check import ServiceFault, ServiceFinding
from webmail.services.providers import ServiceProvider


def missing_words(provider: ServiceProvider, settings: Settings) -> list[str]:
    """What has to be written into config.toml before it can be offered, as names of settings."""
    missing = [f'services = "…, {provider.key}"']
    if provider.consent:
        given = {f"{provider.key}_client_id": provider.client_id, f"{provider.key}_client_secret": provider.client_secret}
        missing += [name for name, value in given.items() if not value]
        if not settings.public_url:
            missing.append("public_url")
    return missing


def finding_words(finding: ServiceFinding, title: str) -> str:
    """What is wrong, and where to mend it."""
    match finding.fault:
        case ServiceFault.UNKNOWN_NAME:
            return _(
                "%(title)s can’t be reached from this server: %(said)s. Check its DNS and firewall.",
                title=title,
                said=finding.said,
            )
        case ServiceFault.AWAY:
            return _("%(title)s answers %(said)s: try again later.", title=title, said=finding.said)
        case ServiceFault.BUSY:
            return _("%(title)s wants fewer requests: try again in a minute.", title=title)
        case ServiceFault.CLIENT:
            return _("%(title)s does not know this client ID.", title=title)
        case ServiceFault.SECRET:
            return _("The client ID or the client secret is wrong, or the secret has expired.")
        case ServiceFault.REDIRECT:
            return _("The address below is not registered at %(title)s as a redirect address.", title=title)
        case ServiceFault.TENANT:
            return _("%(title)s does not know this tenant.", title=title)
        case ServiceFault.CLOCK:
            return _(
                "This server’s clock differs from that of %(title)s by %(said)s seconds: set it by NTP.",
                title=title,
                said=finding.said,
            )
    return _("%(title)s refuses: %(said)s.", title=title, said=finding.said)

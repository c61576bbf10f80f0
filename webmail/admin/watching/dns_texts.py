"""Words for records of DNS: what each is for, and what is wrong with what was found; the doctor says the same."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from webmail.admin.watching.dns_notes import OK, DnsFinding


@dataclass(frozen=True, slots=True)
class DnsCard:
    """A record as the page shows it. `line`: ready to paste, "" where there is nothing to; `policy`: a file to serve instead."""

    title: str
    name: str
    kind: str
    state: str
    words: str
    line: str
    policy: str


def card(finding: DnsFinding) -> DnsCard:
    line = "" if finding.kind in ("PTR", "HTTPS") else finding.line
    policy = finding.value.replace("\\n", "\n") if finding.kind == "HTTPS" else ""
    return DnsCard(title(finding.why), finding.name, finding.kind, finding.state, said(finding), line, policy)


def title(why: str) -> str:
    return {
        "mail": _("Where mail goes (MX)"),
        "host": _("Address of this server"),
        "mta-sts-host": _("Address for the MTA-STS policy"),
        "key-host": _("Address where others find encryption keys"),
        "autoconfig": _("Automatic setup of mail programs"),
        "programs": _("How phones and programs find the servers"),
        "spf": _("Who may send for the domain (SPF)"),
        "spf-of-server": _("Who may send for the server itself (SPF)"),
        "dkim": _("Key of signatures (DKIM)"),
        "dmarc": _("What happens to forged mail (DMARC)"),
        "mta-sts": _("Encrypted delivery (MTA-STS)"),
        "mta-sts-policy": _("Policy for encrypted delivery (MTA-STS)"),
        "tls-reports": _("Reports on encrypted delivery (TLS-RPT)"),
        "caa": _("Who may issue certificates (CAA)"),
        "reverse": _("Reverse name of this server (PTR)"),
        "dane": _("Certificate of the mail server (DANE)"),
    }.get(why, why)


def said(finding: DnsFinding) -> str:
    """What was found, and the next step."""
    if finding.state == OK:
        return _("As it should be: %(found)s", found=finding.found) if finding.found else _("As it should be.")
    return _of_code(finding) or _common(finding)


def _common(finding: DnsFinding) -> str:
    match finding.code:
        case "missing" if finding.line:
            return _("It is missing. Paste the line below where the domain is administered.")
        case "missing":
            return _("It is missing. Add it where the domain is administered.")
        case "different":
            return _("It is %(found)s, which is something else. Replace it with the line below.", found=finding.found)
        case "several":
            return _("There are several, so none counts: %(found)s. Keep one.", found=finding.found)
    return _("No DNS server answered, so this is not known. Check again later.")


def _of_code(finding: DnsFinding) -> str:
    """What is particular to one kind of record; "" else."""
    found = finding.found
    match finding.why, finding.code:
        case "mail", "missing":
            return _("It is missing, so other servers don’t know where to bring mail. Add an MX that leads to your mail server.")
        case "mail", "no-address":
            return _(
                "It leads to %(found)s, which has no address: mail is lost. Give that name an address, or correct the MX.",
                found=found,
            )
        case "mail", "elsewhere":
            return _(
                "It leads to %(found)s, not to this server. Right if a filter is in front of it, else mail goes astray.",
                found=found,
            )
        case (("spf" | "spf-of-server"), "without-us"):
            return _("It does not name this server (%(found)s): others may refuse what it sends. Add “mx”.", found=found)
        case (("spf" | "spf-of-server"), "open"):
            return _("It lets anybody send in your name (%(found)s). Replace “+all” with “-all”.", found=found)
        case "dkim", "missing" if not finding.value:
            return _(
                "No key is there, so others may take your mail for junk. Have your mail server sign, and add the record it gives."
            )
        case "dkim", "other-key":
            return _("The key there is another one: what this server signs is taken for forged. Replace it with the line below.")
        case "reverse", "missing":
            return _("%(found)s has no name, so others may refuse mail from it. Who gave you the address sets it to %(name)s",
                     found=found, name=finding.value)  # fmt: skip
        case "reverse", "not-back":
            return _("%(found)s does not lead back to the address. Who gave you the address sets it to %(name)s",
                     found=found, name=finding.value)  # fmt: skip
    return _of_encryption(finding)


def _of_encryption(finding: DnsFinding) -> str:
    found = finding.found
    match finding.code:
        case "no-host":
            return _("The policy is announced, but %(found)s has no address. Add it, then run the installer again.", found=found)
        case "unreadable":
            return _(
                "The policy can’t be read (%(found)s). Serve the text below there, with a certificate that all trust.",
                found=found,
            )
        case "without-mx":
            return _(
                "The policy does not name %(found)s, where MX leads: servers that heed it bring no mail there. Add it.",
                found=found,
            )
        case "other-authority":
            return _("Only others may issue certificates (%(found)s): yours can’t be renewed. Add the line below.", found=found)
        case "no-certificate":
            return _("Port 25 shows no certificate (%(found)s), so this is not known. Check again later.", found=found)
        case "other-certificate":
            return _("It is of another certificate: servers that heed it bring no mail. Replace it with the line below now.")
        case "dane-missing":
            return _("Your DNS is signed, so you can add it. First make sure that renewals keep the key (certbot: --reuse-key).")
    return ""

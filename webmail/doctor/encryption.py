"""Doctor, encryption: whether the programs that do it are there, and do it: a message there and back by each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from webmail.crypto import openpgp
from webmail.crypto.errors import CryptoError, CryptoMissingError
from webmail.crypto.external_programs import Arguments, InputPipe, OutputPipe, run
from webmail.crypto.signatures import SignatureState
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, why
from webmail.doctor.result import lazy_gettext as _l

_NAME = "Encryption"
_TEXT = b"There and back\r\n"
_OWNER = "doctor"


def examine() -> Iterator[CheckResult]:
    for program, kind, there_and_back in (("sqop", "OpenPGP", _openpgp), ("openssl", "S/MIME", _smime)):
        about = {"kind": kind, "program": program}
        try:
            works = there_and_back()
        except CryptoMissingError:
            words = _l(
                "%(program)s is not installed, so people can’t encrypt or sign by %(kind)s. On Debian: apt install %(program)s.",
                **about,
            )
            yield CheckResult(_NAME, WARNING, words)
        except CryptoError as error:
            yield CheckResult(_NAME, PROBLEM, _l("%(kind)s by %(program)s does not work: %(why)s.", **about, why=why(error)))
        else:
            yield CheckResult(_NAME, OK, _l("%(kind)s by %(program)s works.", **about)) if works else _lost(about)


def _lost(about: Mapping[str, str]) -> CheckResult:
    words = _l("%(kind)s by %(program)s does not give back what was encrypted: install its package again.", **about)
    return CheckResult(_NAME, PROBLEM, words)


def _openpgp() -> bool:
    key = openpgp.generate_key("Doctor", "doctor@localhost.localdomain", owner=_OWNER)
    certificate = openpgp.certificate_of(key, owner=_OWNER)
    message = openpgp.encrypt(_TEXT, [certificate], sign_with=key, owner=_OWNER)
    opened = openpgp.decrypt(message, [key], [certificate], owner=_OWNER)
    return opened.content == _TEXT and [each.state for each in opened.signatures] == [SignatureState.GOOD]


def _smime() -> bool:
    """With a certificate made for it, of which nothing is stored."""
    key = OutputPipe()
    request = ["req", "-x509", "-subj", "/CN=doctor", "-days", "1", "-nodes", "-newkey", "ec"]
    made = run("openssl", [*request, "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key], owner=_OWNER)
    if made.status:
        return False
    recipient: Arguments = ["-binary", "-recip", InputPipe(made.output)]
    encrypted = run("openssl", ["cms", "-encrypt", "-outform", "DER", "-aes-256-gcm", *recipient], _TEXT, owner=_OWNER)
    decrypting = ["cms", "-decrypt", "-inform", "DER", *recipient, "-inkey", InputPipe(made.outputs[0])]
    opened = run("openssl", decrypting, encrypted.output, owner=_OWNER)
    return opened.status == 0 and opened.output == _TEXT

"""Apple's configuration profile, read back by plistlib; its signature, by openssl."""

from __future__ import annotations

import plistlib
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from webmail.auth.devices import apple_profile
from webmail.auth.devices.apple_profile import CannotSignError, ProfileOwner, ProfileWords, Signer
from webmail.config.checks import ConfigError
from webmail.config.devices import Devices

WORDS = ProfileWords("Lycée", "Mail")
OWNER = ProfileOwner("alice@lycee.example", "Alice <&> Été", 7, "abcdef" * 4, frozenset(["imap", "smtp", "caldav", "carddav"]))


@pytest.fixture
def settings(settings):
    return replace(
        settings,
        name="Lycée Ampère",
        mail_server="mail.lycee.example",
        public_url="https://webmail.lycee.example",
        devices=Devices(smtp_port=587, smtp_security="starttls"),
    )


def made(settings, owner: ProfileOwner = OWNER):
    return plistlib.loads(apple_profile.profile(owner, WORDS, settings))


def test_it_sets_up_mail_calendars_and_contacts(settings):
    found = made(settings)
    assert (found["PayloadType"], found["PayloadVersion"], found["PayloadOrganization"]) == ("Configuration", 1, "Lycée Ampère")
    mail, calendars, contacts = found["PayloadContent"]
    assert mail["PayloadType"] == "com.apple.mail.managed"
    assert (mail["EmailAddress"], mail["EmailAccountName"]) == ("alice@lycee.example", "Alice <&> Été")
    assert (mail["IncomingMailServerHostName"], mail["IncomingMailServerPortNumber"]) == ("mail.lycee.example", 993)
    assert (mail["OutgoingMailServerHostName"], mail["OutgoingMailServerPortNumber"]) == ("mail.lycee.example", 587)
    assert mail["IncomingMailServerUseSSL"] is mail["OutgoingMailServerUseSSL"] is True
    assert mail["IncomingPassword"] == calendars["CalDAVPassword"] == contacts["CardDAVPassword"] == OWNER.password
    assert mail["OutgoingPasswordSameAsIncomingPassword"] is True
    assert (calendars["CalDAVHostName"], calendars["CalDAVPort"], calendars["CalDAVUseSSL"]) == (
        "webmail.lycee.example",
        443,
        True,
    )
    assert contacts["CardDAVPrincipalURL"] == "https://webmail.lycee.example/dav/alice%40lycee.example/"
    assert contacts["CardDAVUsername"] == "alice@lycee.example"
    assert "RemovalDate" not in found


def test_only_what_the_password_is_for(settings):
    assert [
        part["PayloadType"] for part in made(settings, replace(OWNER, uses=frozenset(["imap", "smtp"])))["PayloadContent"]
    ] == ["com.apple.mail.managed"]
    assert [part["PayloadType"] for part in made(settings, replace(OWNER, uses=frozenset(["carddav"])))["PayloadContent"]] == [
        "com.apple.carddav.account"
    ]


def test_installed_again_it_replaces_itself_and_no_other(settings):
    def names(owner):
        found = made(settings, owner)
        return [(one["PayloadIdentifier"], one["PayloadUUID"]) for one in (found, *found["PayloadContent"])]

    assert names(OWNER) == names(replace(OWNER, password="x"))
    assert len(set(names(OWNER))) == 4
    assert not set(names(OWNER)) & set(names(replace(OWNER, number=8)))
    assert names(OWNER)[0][0] == "example.lycee.traboule.7"


def test_it_goes_off_the_device_when_the_password_is_over(settings):
    ends = datetime(2027, 6, 30, 22)
    assert made(settings, replace(OWNER, ends=ends))["RemovalDate"] == ends


# --- signed ----------------------------------------------------------------------------------------------------------


def certified(folder: Path, name: str, issuer=None, days: int = 30):
    """(certificate, key), with both as PEM files in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    certificate = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, key


@pytest.fixture
def signing(settings):
    folder = Path(settings.instance)
    authority = certified(folder, "authority")
    certified(folder, "signer", authority)
    return replace(settings, devices=Devices(certificate="signer.pem", key="signer.key"))


def test_openssl_finds_the_signature_good_and_the_same_profile_in_it(signing, tmp_path):
    signed = tmp_path / "signed"
    signed.write_bytes(apple_profile.profile(OWNER, WORDS, signing))
    out = tmp_path / "out"
    asked = ["-in", signed, "-inform", "DER", "-CAfile", Path(signing.instance, "authority.pem"), "-purpose", "any", "-out", out]
    subprocess.run(["openssl", "cms", "-verify", *map(str, asked)], check=True, capture_output=True)
    assert out.read_bytes() == apple_profile.unsigned(OWNER, WORDS, signing)


def test_one_that_was_changed_is_found_out(signing, tmp_path):
    signed = tmp_path / "signed"
    signed.write_bytes(apple_profile.profile(OWNER, WORDS, signing).replace(b"mail.lycee", b"evil.lycee"))
    asked = ["-in", signed, "-inform", "DER", "-CAfile", Path(signing.instance, "authority.pem"), "-purpose", "any"]
    assert subprocess.run(["openssl", "cms", "-verify", *map(str, asked)], check=False, capture_output=True).returncode != 0


def test_the_chain_goes_with_it(signing, tmp_path):
    folder = Path(signing.instance)
    (folder / "signer.pem").write_bytes((folder / "signer.pem").read_bytes() + (folder / "authority.pem").read_bytes())
    signed = tmp_path / "signed"
    signed.write_bytes(apple_profile.profile(OWNER, WORDS, signing))
    listed = subprocess.run(
        ["openssl", "pkcs7", "-in", str(signed), "-inform", "DER", "-print_certs", "-noout"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert listed.count("subject=") == 2


@pytest.mark.parametrize("fault", ["gone", "other key", "no certificate", "expired"])
def test_a_certificate_that_can_not_be_used_is_said_and_holds_nobody_up(signing, fault, caplog):
    folder = Path(signing.instance)
    match fault:
        case "gone":
            (folder / "signer.key").unlink()
        case "other key":
            (folder / "signer.key").write_bytes((folder / "authority.key").read_bytes())
        case "no certificate":
            (folder / "signer.pem").write_text("hello")
        case "expired":
            certified(folder, "signer", days=-1)
    with pytest.raises(CannotSignError, match="signer"):
        Signer(signing)
    assert made(signing)["PayloadType"] == "Configuration"
    assert "are not signed" in caplog.text
    assert OWNER.password not in caplog.text


def test_a_certificate_needs_its_key():
    with pytest.raises(ConfigError, match="go together"):
        Devices(certificate="signer.pem")

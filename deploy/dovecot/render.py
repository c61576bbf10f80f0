"""Dovecot configuration: renders dovecot.conf.in and the Sieve scripts, for the demo or for production.

For production, as root, once the system users exist, with the real host names:

    python -m deploy.dovecot.render --etc /etc/dovecot --hostname mail.lycee.example --domain lycee.example \\
        --issuer https://webmail.lycee.example --database /var/lib/traboule/traboule.sqlite

`--database postgresql://dovecot:PASSWORD@db.lycee.example/traboule` makes Dovecot read the accounts from PostgreSQL.
`--web http://127.0.0.1:8000` makes Dovecot and the webmail beside it talk to each other: about app passwords, and what to end.
"""

from __future__ import annotations

import argparse
import pwd
import re
import secrets
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jinja2 import Environment, StrictUndefined

HERE = Path(__file__).resolve().parent
ARRIVALS = "arrivals.lua"
MAIL_ENCRYPTION = ("none", "indexed", "full")
_MAIL_KEYS = "mail-crypt"  # the folder, below `etc`
SIEVE_SCRIPTS = ("before.sieve", "report-spam.sieve", "report-ham.sieve")


@dataclass(frozen=True, kw_only=True)
class Values:
    """The values of the template. Paths are absolute; `user` owns all mail, with `uid` and `gid`."""

    production: bool
    etc: Path  # dovecot.conf, sieve/ and oauth/ go here
    mail: Path  # <mail>/<domain>/<local> is a person's home
    database: Path | str  # Traboule's SQLite file, or postgresql://...
    hostname: str
    domain: str  # of the postmaster
    issuer: str  # `iss` of the webmail's tokens: WEBMAIL_TOKEN_ISSUER
    user: str
    uid: int
    gid: int
    relay: str = "127.0.0.1:25"  # host:port for mail sent by Dovecot itself
    imap_port: int = 143
    sieve_port: int = 4190
    tokens: bool = True  # the webmail signs in by token: without, two-step verification can't refuse it the account's password
    forwarding: bool = True  # people may have mail sent on at all, by whatever script
    app_passwords_only: bool = False  # mail programs need an app password in any case
    web: str = ""  # where the webmail answers on this machine, such as http://127.0.0.1:8000; empty: Dovecot tells it nothing
    doveadm_port: int = 8895  # where Dovecot ends connections for it
    key: str = ""  # the secret that both know: doveadm_key
    mail_encryption: str = "none"  # one of MAIL_ENCRYPTION: files of messages, and with "full" no index of their words either
    # demo only
    root: Path = Path("/")  # run/, state/ and log/ are below
    group: str = ""
    lmtp_port: int = 24
    auth_port: int = 0  # for Postfix, which checks sign-ins
    quota_port: int = 0  # and asks who is over quota
    # production only
    imaps_port: int = 993
    tls_certificate: Path = Path("/etc/ssl/certs/ssl-cert-snakeoil.pem")
    tls_key: Path = Path("/etc/ssl/private/ssl-cert-snakeoil.key")
    postfix: Path = Path("/var/spool/postfix")
    database_group: str = "traboule"  # may read and write the database file


def configuration(values: Values) -> str:
    """The text of dovecot.conf. Raises ValueError for what can't be written in it, or would lock the webmail out."""
    if values.app_passwords_only and not values.tokens:
        raise ValueError(
            "the webmail itself needs the accounts' passwords, unless it has tokens: --app-passwords-only with --token-key"
        )
    if values.web and not re.fullmatch(r"http://(127\.0\.0\.1|localhost|\[::1\]):[0-9]{1,5}", values.web):
        raise ValueError("the webmail must be on this machine: an address such as http://127.0.0.1:8000")
    if values.mail_encryption not in MAIL_ENCRYPTION:
        raise ValueError(f"the encryption of mail is one of {', '.join(MAIL_ENCRYPTION)}")
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)  # noqa: S701 - no HTML
    template = environment.from_string((HERE / "dovecot.conf.in").read_text(encoding="utf-8"))
    return template.render(
        asdict(values), postgresql=postgresql(values.database), mail_keys=mail_keys(values.etc) if has_mail_keys(values) else None
    )


def postgresql(database: Path | str) -> dict[str, str]:
    """What Dovecot needs to connect to this PostgreSQL database: `host`, then parameters of libpq; {} for an SQLite file.

    A folder with a Unix socket is given as `?host=/run/postgresql`. Raises ValueError.
    """
    if isinstance(database, Path):
        return {}
    url = urlsplit(database)
    given = {
        "host": dict(parse_qsl(url.query)).get("host") or url.hostname or "127.0.0.1",
        "port": str(url.port or ""),
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "dbname": url.path.removeprefix("/"),
    }
    if url.scheme not in ("postgresql", "postgres") or not given["dbname"]:
        raise ValueError("the database is a file, or an address such as postgresql://dovecot:PASSWORD@127.0.0.1/traboule")
    for name, value in given.items():
        if not value.isprintable() or re.search(r'["\\%{}$ ]', value):
            raise ValueError(f'the {name} of the database has a space or one of " \\ % {{ }} $, which Dovecot would misread')
    return {name: value for name, value in given.items() if value}


def write(values: Values) -> Path:
    """Write dovecot.conf and sieve/ below `values.etc`; returns the configuration's path."""
    file = values.etc / "dovecot.conf"
    (values.etc / "sieve").mkdir(parents=True, exist_ok=True)
    if values.mail_encryption != "none":
        make_mail_keys(values.etc)
    text = configuration(values)
    if values.key or "password" in postgresql(values.database):
        file.touch(mode=0o600)
        file.chmod(0o600)
    file.write_text(text, encoding="utf-8")
    (values.etc / ARRIVALS).write_bytes((HERE / ARRIVALS).read_bytes())
    for name in SIEVE_SCRIPTS:
        script = values.etc / "sieve" / name
        text = (HERE / f"{name}.in").read_text(encoding="utf-8")
        if not script.exists() or script.read_text(encoding="utf-8") != text:
            script.write_text(text, encoding="utf-8")
            script.with_suffix(".svbin").unlink(missing_ok=True)
    return file


def make_keys(private: Path, public_keys: Path, client: str, key_id: str) -> None:
    """Create the key pair for the webmail's IMAP tokens: ES256, PEM. An existing private key is kept.

    `private` is readable only by its owner; the public key goes to <public_keys>/<client>/ES256/<key_id>.
    """
    public = public_keys / client / "ES256" / key_id
    public.parent.mkdir(parents=True, exist_ok=True)
    if private.exists():
        key = serialization.load_pem_private_key(private.read_bytes(), None)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = serialization.PrivateFormat.PKCS8
        private.touch(mode=0o600)
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption()))
    public_pem = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, public_pem))


def mail_keys(etc: Path) -> tuple[Path, Path]:
    """The files of the keys that messages are encrypted by on disk: the public one and the private one."""
    return etc / _MAIL_KEYS / "public.pem", etc / _MAIL_KEYS / "private.pem"


def has_mail_keys(values: Values) -> bool:
    """Whether messages are encrypted on disk, or were once: those can be read only as long as Dovecot has the key."""
    return values.mail_encryption != "none" or mail_keys(values.etc)[1].exists()


def make_mail_keys(etc: Path) -> None:
    """Create the keys that messages are encrypted by on disk: elliptic curve, PEM. An existing private key is kept for ever.

    Dovecot reads them at its start, as who starts it: nobody else has to open them.
    """
    public, private = mail_keys(etc)
    private.parent.mkdir(mode=0o700, exist_ok=True)
    if private.exists():
        key = serialization.load_pem_private_key(private.read_bytes(), None)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        # whole or not at all: half a key that is kept for ever would be one for nothing
        half = private.with_suffix(".new")
        half.touch(mode=0o600)
        half.write_bytes(pem)
        half.rename(private)
    public_pem = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, public_pem))


def kept_key(file: Path) -> str:
    """The secret in this file, which only its owner reads; made once."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32))
    return file.read_text().strip()


def has_tokens(public_keys: Path) -> bool:
    """Whether a public key of the webmail's tokens is there, made by this run or an earlier one."""
    return any(public_keys.glob("*/ES256/*"))


def compile_scripts(configuration_file: Path) -> None:
    """Compile the Sieve scripts beforehand: Dovecot may not be able to write to their folder at run time."""
    for name in SIEVE_SCRIPTS:
        script = configuration_file.parent / "sieve" / name
        if not script.with_suffix(".svbin").exists():
            subprocess.run(["/usr/bin/sievec", "-c", configuration_file, script], check=True)


def _database(text: str) -> Path | str:
    if "://" not in text:
        return Path(text)
    try:
        postgresql(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.dovecot.render", description="Write Dovecot's production configuration."
    )
    parser.add_argument("--etc", type=Path, required=True, help="folder to write to, such as /etc/dovecot")
    parser.add_argument("--hostname", required=True, help="name of the mail server")
    parser.add_argument("--domain", required=True, help="mail domain of the establishment")
    parser.add_argument("--issuer", required=True, help="address of the webmail; the same as its setting token_issuer")
    parser.add_argument("--database", type=_database, required=True, help="Traboule's SQLite file, or postgresql://...")
    parser.add_argument("--database-group", default="traboule", help="group that may read and write that file")
    parser.add_argument("--mail", type=Path, default=Path("/var/vmail"), help="where mail is kept (default %(default)s)")
    parser.add_argument("--user", default="vmail", help="system user that owns the mail (default %(default)s)")
    parser.add_argument("--tls-certificate", type=Path, default=Values.tls_certificate)
    parser.add_argument("--tls-key", type=Path, default=Values.tls_key)
    parser.add_argument("--token-key", type=Path, help="make the key pair for the webmail's tokens: its setting token_key_file")
    parser.add_argument("--app-passwords-only", action="store_true", help="let mail programs sign in with app passwords alone")
    parser.add_argument(
        "--no-forwarding", dest="forwarding", action="store_false", help='for forwarding = "off": Sieve sends nothing on'
    )
    parser.add_argument(
        "--mail-encryption",
        choices=MAIL_ENCRYPTION,
        default="none",
        help="encrypt messages on disk; full: without an index of their words (default %(default)s)",
    )
    parser.add_argument("--web", default="", help="where Traboule answers on this machine, such as http://127.0.0.1:8000")
    parser.add_argument("--doveadm-port", type=int, default=Values.doveadm_port, help="for --web (default %(default)s)")
    given = vars(parser.parse_args(arguments))
    token_key = given.pop("token_key")
    try:
        owner = pwd.getpwnam(given["user"])
    except KeyError:
        parser.error(
            f"no such user: {given['user']}. Make it first: adduser --system --group --home {given['mail']} {given['user']}"
        )
    etc = given["etc"]
    etc.mkdir(parents=True, exist_ok=True)
    if token_key:
        make_keys(token_key, etc / "oauth", "traboule", "wm1")
    key = kept_key(etc / "traboule.key") if given["web"] else ""
    values = Values(production=True, uid=owner.pw_uid, gid=owner.pw_gid, tokens=has_tokens(etc / "oauth"), key=key, **given)
    try:
        file = write(values)
    except ValueError as error:
        parser.error(str(error))
    compile_scripts(file)
    print(f"{file} is written. Check it with: doveconf -c {file} -n")
    if has_mail_keys(values):
        print(f"Keep a copy of {etc / _MAIL_KEYS} elsewhere: without it nobody can read the mail that is encrypted on disk.")
    if values.web:
        url = f"http://127.0.0.1:{values.doveadm_port}"
        print(f'In config.toml: doveadm_url = "{url}", and as doveadm_key the text of {etc / "traboule.key"};')
        print('dovecot_sockets = "/run/dovecot/srv.imap"')


if __name__ == "__main__":
    main(sys.argv[1:])

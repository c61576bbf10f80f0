"""Configuration: every setting, its default and meaning.

Read from `instance/config.toml`, overridden by the environment (`WEBMAIL_` + the name in capitals). `docs/administrator/`
and `instance/config.example.toml` list all settings; a test keeps both complete. Settings that are tables: `tables.py`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from webmail.account import Account, Password, Server, Token, TokenIssuer
from webmail.config import checks, files, ownership, tables
from webmail.config import filesender as config_filesender
from webmail.config import storage as config_storage
from webmail.config import values as config_values
from webmail.config.checks import ConfigError
from webmail.config.cloud_programs import CloudProgram
from webmail.config.connected_services import GoogleAddresses, MicrosoftAddresses
from webmail.config.devices import Devices
from webmail.config.directory import ListedAddress, SightRule
from webmail.config.files import ca_trouble
from webmail.config.filesender import FileSender
from webmail.config.presentation import Presentation
from webmail.config.providers import Cas, HelpSite, Ldap, Oidc, ProxySignIn, Sms, Support
from webmail.config.storage import S3
from webmail.config.tables import TABLES, Domain, GivenArchiving, Link, ListedHolidays
from webmail.config.transfers import Transfers
from webmail.mail import Address

__all__ = ["ConfigError", "Settings", "ca_trouble", "load"]


@dataclass(frozen=True, slots=True)
class Settings:
    # --- the establishment -------------------------------------------------------------------------------------------
    name: str = "Traboule"  # shown on the sign-in page and in the top bar
    domain: str = ""  # added to a user name typed without one: "alice" -> "alice@lycee.example"
    language: str = "fr"  # for browsers that accept neither French nor English
    timezone: str = "Europe/Paris"
    public_url: str = ""  # where people find these pages, for links in mail; never taken from a request
    system_address: str = ""  # sender of what the establishment itself writes; empty: it sends nothing
    system_password: str = field(default="", repr=False)  # to send as that address, where there is no token_key_file
    admin_address: str = ""  # whom people ask for more room, by the establishment's own mail; empty: nobody
    links: tuple[Link, ...] = ()  # on every page, for everybody or a group
    domains: tuple[Domain, ...] = ()  # whose people belong to the establishment, besides those of `domain`
    support: Support = Support()  # the page for who needs help, which everybody may read
    sites: tuple[HelpSite, ...] = ()  # on that page

    # --- servers -----------------------------------------------------------------------------------------------------
    imap_host: str = "127.0.0.1"
    imap_port: int = 993
    imap_security: str = "tls"  # tls, starttls, or none (loopback only)
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 465
    smtp_security: str = "tls"
    sieve_host: str = ""  # ManageSieve; empty where the server has none
    sieve_port: int = 4190
    sieve_security: str = "starttls"
    ca_file: str = ""  # certificate authority to trust instead of the system's, PEM
    smime_authorities: str = ""  # who vouches for certificates of S/MIME, besides the system's authorities, PEM
    smime_revocation: bool = True  # ask their authorities, later, whether they withdrew the certificates of who signed
    server_timeout: float = 8.0  # seconds to wait for each response of a mail server

    # --- accounts and sign-in ----------------------------------------------------------------------------------------
    sign_in: str = "imap"  # imap: the IMAP server checks passwords; accounts: against our own table, which Dovecot reads too
    login_name: str = "address"  # user name for password sign-in to the mail servers: address, or local (before the @)
    token_key_file: str = ""  # ES256 private key (PEM) that Dovecot trusts; no mail passwords are stored then
    token_issuer: str = "https://webmail.example.test"
    token_client: str = "traboule"
    token_key_id: str = "wm1"
    session_idle_hours: float = 12.0  # signed out after this time without a visit
    session_absolute_hours: float = 24.0 * 14  # signed out after this time in any case
    shared_idle_minutes: float = 20.0  # replaces session_idle_hours on a shared computer
    secure_cookies: bool = True  # off only for plain http on loopback
    proxies: int = 0  # reverse proxies in front whose X-Forwarded-For and -Proto are trusted; 0: none
    sign_in_attempts: int = 10  # wrong passwords for one name in 15 minutes; five times as many from one network
    own_networks: str = ""  # the establishment's networks, as others see them: from these far more
    password_length: int = 10  # characters of a new password, at least
    password_score: int = 2  # how hard to guess it must be, from 0 (not asked) to 4, where passwords are kept here
    lasting_days: int = 30  # how long "stay signed in on this device" lasts; 0: not offered
    recovery_address: str = "ask"  # a private address for recovery: off, ask (at most monthly), required
    check_mail: bool = True  # administrators are told by mail what the doctor finds broken; needs system_address
    new_browser_mail: bool = True  # people are told of a sign-in from a browser that was not known; needs system_address
    terms_file: str = ""  # terms of use that people accept before anything else; plain text, empty: none
    terms_version: str = ""  # asked again when it changes
    second_step_for: str = ""  # who must have a second factor: all, admin, or groups' identifiers, separated by commas
    second_step_grace_days: int = 14  # to set it up from the first sign-in at which it is required
    mailed_second_step: bool = True  # a code by e-mail may be a second factor; needs system_address and recovery_address
    trust_days: int = 30  # how long a device that is trusted is not asked for the second step; 0: not offered
    provider_app_password_days: int = 180  # after the last sign-in by a provider, app passwords pause; 0: never
    passkey_sign_in: bool = False  # a passkey alone signs in, without a password; needs token_key_file
    vouchers: bool = True  # people may vouch for a colleague who has no second factor at hand
    doveadm_url: str = ""  # Dovecot's doveadm over HTTP, to end connections at once; empty: they go on
    dovecot_sockets: str = ""  # folder with a socket for each of its IMAP processes: some connections end by it alone
    doveadm_key: str = field(default="", repr=False)  # also by which Dovecot tells of the use of app passwords
    mail_server: str = ""  # the name under which telephones reach the mail server; empty: imap_host, where others reach it
    server_addresses: str = ""  # of the internet, of this server: what its names lead to in DNS; empty: not compared
    dkim_selector: str = ""  # the name in DNS of the key that signs what people send
    dkim_record: str = ""  # the text that belongs there; empty: only whether there is any is checked
    certificate_authority: str = ""  # the domain of who issues certificates, which CAA records allow; empty: none is proposed
    lmtp_address: str = ""  # where Dovecot takes messages, a socket or HOST:PORT, for the doctor; empty: not tried
    devices: Devices = Devices()  # the same where ports are others; who signs Apple's profiles

    cloud_programs: tuple[CloudProgram, ...] = ()  # programs that keep passwords on their makers' servers, by their networks

    # whether the account's own password opens calendars and contacts to telephones: never, without-second-step, always
    own_password_on_devices: str = "without-second-step"
    collections_per_person: int = 50  # calendars and books of contacts
    collection_items: int = 20_000  # in each
    collection_limit_mb: int = 100  # each
    collections_limit_mb: int = 300  # all of one person together
    item_limit_kb: int = 1024  # an event
    card_limit_kb: int = 2048  # a contact, with its photo
    other_dav_servers: bool = True  # people may keep calendars and contacts in step with another server
    api: bool = False  # people may write scripts that use their account (/api), with app passwords; sign_in = "accounts" alone
    calendar_subscriptions: bool = True  # people may have calendars fetched from addresses
    dav_servers: str = ""  # names of such servers inside the establishment, or on other ports

    services: str = ""  # what people may connect: google, microsoft, nextcloud, filesender; empty: nothing
    google_client_id: str = ""  # of the registration at Google
    google_client_secret: str = field(default="", repr=False)
    microsoft_client_id: str = ""
    microsoft_client_secret: str = field(default="", repr=False)
    microsoft_tenant: str = "common"  # whose accounts: common, organizations, consumers, or the establishment's own tenant
    microsoft_sites: str = "off"  # files of SharePoint sites beside OneDrive: off, read, write
    service_networks: str = ""  # networks of the establishment in which such services may be; others only on the internet
    google_addresses: GoogleAddresses = GoogleAddresses()
    microsoft_addresses: MicrosoftAddresses = MicrosoftAddresses()

    own_name: bool = True  # people may change the name that others see, but not to that of somebody else
    encryption: bool = True  # people may encrypt and sign messages, where the programs for it are installed
    encryption_key: str = "curve25519"  # what new OpenPGP keys are: curve25519 or rsa
    forgotten_password: bool = True  # a link to the recovery address, or a code by SMS, leads to a new password
    sms: Sms | None = None  # a gateway for text messages; none: no telephone numbers are asked for
    oidc: tuple[Oidc, ...] = ()  # providers to sign in by
    ldap: Ldap | None = None  # a directory that checks passwords
    cas: Cas | None = None
    proxy_sign_in: ProxySignIn | None = None  # a reverse proxy that has signed people in

    # --- storage -----------------------------------------------------------------------------------------------------
    database_url: str = ""  # sqlite:////path or postgresql://...; empty: traboule.sqlite in the instance folder
    secret_key: str = field(default="", repr=False)  # empty: generated once and stored in the instance folder
    jobs_file: str = ""  # the job queue; empty: jobs.sqlite in the instance folder
    storage: str = "disk"  # where files are kept: disk, or s3
    s3: S3 | None = None  # the bucket; for storage = "s3", and to move there beforehand
    uploads_folder: str = ""  # attachments of drafts; empty: uploads/ in the instance folder
    transfers_folder: str = ""  # large files sent as links; empty: transfers/ in the instance folder
    access_log: bool = True  # a line in the log for each request, without addresses of people, folders, searches and links
    log_format: str = "text"  # text, or json: a line of JSON for each line of the log
    metrics: bool = False  # /metrics for Prometheus answers: programs on this machine, or whoever has metrics_token
    metrics_token: str = field(default="", repr=False)
    deletion_days: int = 30  # how long an account that an administrator deletes can be restored
    address_rest_days: int = 365  # how long the address of a deleted account is given to nobody
    audit_days: int = 365  # how long the audit log is kept; 0: for ever

    # --- mail --------------------------------------------------------------------------------------------------------
    page_size: int = 50  # rows per page of a message list
    message_limit_mb: int = 25  # largest message one may send, attachments as encoded
    trash_days: int = 30  # how long the server keeps messages in the trash, to tell users; 0: say nothing
    junk_days: int = 30  # the same for junk
    # when remote images load: ask (on a click), contacts (automatically for the reader's contacts), known (also for people the
    # reader has written to), always, never (our server fetches nothing from the web); users may choose otherwise, unless it is
    # never
    remote_images: str = "ask"
    image_cache_mb: int = 200  # disk cache of remote images in the instance folder; 0: no cache
    # where people may have their mail forwarded: off, inside (the establishment's domains), domains (those and
    # forwarding_domains), anywhere; held at delivery too
    forwarding: str = "inside"
    forwarding_domains: str = ""
    spam_to_junk: bool = True  # the mail server moves spam to Junk before people's own filters: their page says so
    server_filters: str = ""  # what else it does before them, as sentences for that page
    holidays: tuple[ListedHolidays, ...] = ()  # offered for an absence, besides those that are shipped
    public_holidays: str = "france"  # that calendars mark: france, alsace-moselle, a name in holidays.toml, or empty
    video_link: str = (
        ""  # where new video meetings are: an address with {room}, which becomes random letters; empty: none is offered
    )
    week_a: str = ""  # a day of a week A, where lessons of weeks A and B take turns; empty: they don't
    archive: tuple[GivenArchiving, ...] = ()  # what happens to old messages of everybody who has not chosen otherwise
    archive_time: str = "02:00"  # when old messages begin to be archived at night, in `timezone`
    archive_spread_minutes: int = 180  # in which everybody's turn comes
    school_year_begins: str = "09-01"  # month and day
    group_prefix: str = ""  # prefix of group names in the server's access lists ("$" in Dovecot); empty: no groups
    uploads_limit_mb: int = 500  # attachments of all drafts of one person together
    transfers: Transfers = Transfers()  # large files sent as links
    filesender: FileSender | None = None  # a FileSender that sends them instead
    import_limit_mb: int = 2000  # largest file of mail that one may import
    import_private_servers: bool = False  # people may also move in from servers inside the establishment's network
    directory: bool = True  # people find everybody with an account: in contacts, as recipients, on their devices
    directory_rules: tuple[SightRule, ...] = ()  # who sees whom there, by group
    directory_addresses: tuple[ListedAddress, ...] = ()  # functional mailboxes and mailing lists that are listed too
    any_sender: bool = False  # people may write as any address, if the mail server itself checks it; else see `accounts allow`
    undo_seconds: int = 5  # default delay before a message is sent, for undo
    sign_inside: bool = False  # messages to colleagues are signed, of people who have a key
    recipients_per_hour: int = 0  # rate limit of recipients for each person; 0: no limit
    recipients_per_day: int = 0
    service: str = "everything"  # which web service a process belongs to (webmail/config/services.py): its unit says so
    bodies_address: str = "127.0.0.1:8002"  # where the pages' service asks whether the second one is there, for /healthz?full
    imap_connections: int = 200  # open connections at most, for everybody together
    imap_connections_per_person: int = 3
    imap_idle_seconds: int = 300  # idle connections are closed after this time
    # push streams (server-sent events) that notify open pages of new mail, per process; each holds a thread and an IMAP
    # connection. 0: none, pages poll once a minute
    push_connections: int = 0
    authserv_id: str = ""  # the authserv-id of our mail server in Authentication-Results; empty: none are trusted
    own_subdomains: str = ""  # domains below ours that send mail which is always proven: without proof it is refused
    authserv_hops: int = 0  # Received headers of other hosts that stand above it, besides those within one machine
    phishing_address: str = ""  # where phishing reports go; empty: reported messages are only moved to junk

    instance: str = "instance"  # the folder that relative paths above refer to
    presentation: Presentation = Presentation()  # set by pages of administration alone

    def account(self, address: str, username: str = "", password: str | None = None) -> Account:
        """The mail account of `address`: with a signed token if there is a key, else the given password. Raises ConfigError."""
        credential: Password | Token
        if issuer := self.issuer():
            credential = Token(address, issuer)
        elif password is not None:
            credential = Password(username or self.username(address), password)
        else:
            raise ConfigError("without token_key_file a password is needed to reach the mail servers")
        return Account(address, self.imap, self.smtp, credential, self.sieve)

    def username(self, address: str) -> str:
        """The user name for password sign-in to the mail servers."""
        return address if self.login_name == "address" else address.rpartition("@")[0]

    def own_domains(self, domain: str) -> tuple[str, ...]:
        """The domains whose people are inside for somebody of this domain, which comes first. In lower case.

        They are those of the establishment, for its people; for others who have an account here, their own domain alone.
        """
        listed = [one.lower() for one in (self.domain, *(each.name for each in self.domains)) if one]
        return tuple(dict.fromkeys([domain.lower(), *(listed if domain.lower() in listed else [])]))

    def domain_label(self, domain: str) -> str:
        """How pages call a domain."""
        return next((one.display_name for one in self.domains if one.name.lower() == domain.lower()), "") or domain

    def is_own_subdomain(self, domain: str) -> bool:
        """Whether a domain is one of `own_subdomains`: its mail is proven, or refused."""
        return domain in (one.strip(".").lower() for one in self.own_subdomains.replace(",", " ").split())

    @property
    def system_sender(self) -> Address | None:
        """The sender of what the establishment itself writes; None where it sends nothing."""
        return checks.mailbox("system_address", self.system_address) if self.system_address else None

    def put(self, values: Mapping[str, Any]) -> None:
        """Replace values for all of this process, which holds these settings in many places (`establishments/live_settings.py`).

        They have been checked. Nothing else may do so: a value that was read at the start stays what it was.
        """
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def issuer(self) -> TokenIssuer | None:
        if not self.token_key_file:
            return None
        key = Path(self.instance, self.token_key_file).read_text()
        return TokenIssuer(key, self.token_issuer, self.token_client, self.token_key_id)

    @property
    def imap(self) -> Server:
        return self._server("imap")

    @property
    def smtp(self) -> Server:
        return self._server("smtp")

    @property
    def sieve(self) -> Server | None:
        return self._server("sieve") if self.sieve_host else None

    def _server(self, kind: str) -> Server:
        host, port, security = (getattr(self, f"{kind}_{what}") for what in ("host", "port", "security"))
        return Server(host, port, security, self.server_timeout, self.ca_file)

    @property
    def message_limit(self) -> int:
        """Bytes."""
        return self.message_limit_mb * 1024 * 1024

    @property
    def uploads_limit(self) -> int:
        """Bytes."""
        return self.uploads_limit_mb * 1024 * 1024

    @property
    def import_limit(self) -> int:
        """Bytes."""
        return self.import_limit_mb * 1024 * 1024


def load(instance: str | Path, *, make_secret: bool = True, **overrides: Any) -> Settings:
    """The effective settings of this instance folder. Creates what is missing: the folder, the secret key, the queue file and
    the uploads folder, all inaccessible to other users.

    `overrides` take precedence over file and environment (tests use them). Without `make_secret`, a secret key that is missing
    is made for this process only. Raises ConfigError.
    """
    folder = Path(instance).resolve()
    with files.named(f"the instance folder {folder}"):
        ownership.make_folder(folder, 0o770)  # closed to others whatever the umask
    file = folder / "config.toml"
    written = _from_file(file) | _from_environment()
    given = {name: _given(name, value) for name, value in overrides.items()}
    settings = Settings(**written | given | {"instance": str(folder)})
    config_values.check(settings)
    _check_files(settings, set(written) - set(overrides))
    settings = replace(
        settings,
        secret_key=settings.secret_key or files.kept_secret(folder / "secret_key", make_secret),
        database_url=settings.database_url or f"sqlite:///{folder / 'traboule.sqlite'}",
        jobs_file=str(folder / (settings.jobs_file or "jobs.sqlite")),
        uploads_folder=str(folder / (settings.uploads_folder or "uploads")),
        transfers_folder=str(folder / (settings.transfers_folder or "transfers")),
        ca_file=str(folder / settings.ca_file) if settings.ca_file else "",
        smime_authorities=str(folder / settings.smime_authorities) if settings.smime_authorities else "",
        s3=config_storage.loaded(settings.s3, folder),
        filesender=config_filesender.loaded(settings.filesender, folder),
        oidc=tuple(replace(one, ca_file=str(folder / one.ca_file)) if one.ca_file else one for one in settings.oidc),
    )
    files.make_private(Path(settings.uploads_folder), Path(settings.jobs_file))
    return settings


def is_written(name: str, instance: str | Path) -> bool:
    """Whether the file or the environment sets this. Raises ConfigError."""
    return name in _from_file(Path(instance, "config.toml")) | _from_environment()


def written_names(instance: str | Path) -> frozenset[str]:
    """What the file or the environment sets; of a table `[name]` each value, as "name.value". Raises ConfigError."""
    file = _values_of(Path(instance, "config.toml"))
    inside = {f"{name}.{key}" for name, value in file.items() if isinstance(value, dict) for key in value}
    return frozenset(file.keys() | inside | _from_environment().keys())


# --- where settings come from ----------------------------------------------------------------------------------------

_KINDS = {f.name: str(f.type) for f in fields(Settings) if f.name != "presentation"}
_PREFIX = "WEBMAIL_"


def _from_file(file: Path) -> dict[str, Any]:
    """The values of config.toml, checked; empty if the file is missing."""
    return {name: _typed(name, value) for name, value in _values_of(file).items()}


def _values_of(file: Path) -> dict[str, Any]:
    """The values of config.toml as they are written."""
    with files.named(str(file)):
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{file}{files.toml_trouble(error, file)}") from error
        except ValueError as error:  # not UTF-8
            raise ConfigError(f"{file} is not UTF-8 ({error}): save it anew in that encoding") from error
    if unknown := set(values) - set(_KINDS):
        raise ConfigError(f"{file}: unknown setting {', '.join(sorted(unknown))}; docs/administrator/settings.md lists them all")
    if "instance" in values:
        raise ConfigError(f"{file}: instance is set by {_PREFIX}INSTANCE, not in the file")
    return values


def _from_environment() -> dict[str, Any]:
    given = {name.removeprefix(_PREFIX): text for name, text in os.environ.items() if name.startswith(_PREFIX)}
    allowed = {name.upper() for name in _KINDS}
    if unknown := set(given) - allowed:
        names = ", ".join(sorted(_PREFIX + name for name in unknown))
        raise ConfigError(f"unknown setting {names} in the environment; docs/administrator/settings.md lists them all")
    return {name.lower(): _parsed(name.lower(), text) for name, text in given.items() if name != "INSTANCE"}


def _given(name: str, value: Any) -> Any:
    """An override, as a typed value or as text, as in the environment."""
    if name not in _KINDS:
        raise ConfigError(f"unknown setting {name}")
    return _parsed(name, value) if isinstance(value, str) else _typed(name, value)


def _typed(name: str, value: Any) -> Any:
    return tables.read(name, value) if name in TABLES else checks.typed(name, _KINDS[name], value)


def _parsed(name: str, text: str) -> Any:
    if name in TABLES:
        tables.refuse_text(name)
    return checks.parsed(name, _KINDS[name], text)


def _check_files(settings: Settings, names: set[str]) -> None:
    """Files configured by an administrator must exist, be readable and have the right content. Raises ConfigError."""
    if settings.token_key_file and "token_key_file" in names:
        files.check_token_key(Path(settings.instance, settings.token_key_file))
    if "ca_file" in names and settings.ca_file and (trouble := ca_trouble(str(Path(settings.instance, settings.ca_file)))):
        raise ConfigError(trouble)
    file = settings.smime_authorities if "smime_authorities" in names else ""
    if file and (trouble := ca_trouble(str(Path(settings.instance, file)), "smime_authorities")):
        raise ConfigError(trouble)

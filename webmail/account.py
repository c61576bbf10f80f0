"""Account: whose mail, on which servers, with which credential. Passed to every `connect()`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

Security = Literal["tls", "starttls", "none"]

# seconds by which the clocks of the web and the mail servers may differ. A token that leaks is of use for as much longer, but
# only to those who reach the mail servers, and a clock that is set a little wrong would keep everybody from their mail
CLOCK_DIFFERENCE = 60


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens. `security`: "tls" from the first byte, "starttls", or "none" (loopback only). `addresses`: the IP
    addresses to connect to, where the name was looked up and checked already; its certificate is still that of the name.
    """

    host: str
    port: int
    security: Security = "tls"
    timeout: float = 10.0  # seconds, per response
    ca_file: str = ""  # certificate authority to trust instead of the system's
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Password:
    """Sign in with a name and a password (SASL PLAIN, RFC 4616)."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MasterPassword(Password):
    """Sign in by the name and password of a server's administrator, and open the mailbox of `person`: by SASL's authorization
    identity (RFC 4616), or with `by_proxyauth` by the command of Sun's and Oracle's servers. Only for reading old servers.
    """

    person: str = ""
    by_proxyauth: bool = False


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Signs short-lived ES256 tokens with our own key, which the mail server trusts: no passwords are stored.

    They are valid for a minute, and for CLOCK_DIFFERENCE more before and after it. `clock` tells the time.
    """

    key: str = field(repr=False)  # PEM of the private key
    issuer: str
    client: str  # `azp` claim, and the folder that holds the public key on the server
    key_id: str
    clock: Callable[[], float] = field(default=time.time, compare=False, repr=False)

    def token(self, username: str, lifetime: int = 60) -> str:
        """A JSON Web Token (RFC 7519) for `username`, valid for `lifetime` seconds where both clocks agree, and longer."""
        from joserfc import jwt  # many installations need none: it is a tenth of the start

        begins, ends = self.moments(lifetime)
        claims = {"iss": self.issuer, "sub": username, "azp": self.client, "iat": begins, "nbf": begins, "exp": ends}
        return jwt.encode({"alg": "ES256", "kid": self.key_id}, claims, _signing_key(self.key), algorithms=["ES256"])

    def moments(self, lifetime: int) -> tuple[int, int]:
        """Between which moments such a token is valid, in seconds of Unix time."""
        now = int(self.clock())
        return now - CLOCK_DIFFERENCE, now + lifetime + CLOCK_DIFFERENCE


@lru_cache(maxsize=4)
def _signing_key(pem: str) -> ECKey:
    """Read once: reading it takes as long as signing."""
    from joserfc.jwk import ECKey

    return ECKey.import_key(pem)


@dataclass(frozen=True, slots=True)
class Token:
    """Sign in with OAUTHBEARER (RFC 7628); each connection gets a new token."""

    username: str
    issuer: TokenIssuer = field(repr=False)

    def make(self) -> str:
        return self.issuer.token(self.username)


@dataclass(frozen=True, slots=True)
class Account:
    """One person's mail account. Hashable: the connection pool uses it as its key, so accounts are never mixed up."""

    address: str
    imap: Server
    smtp: Server
    credential: Password | Token
    sieve: Server | None = None
    roles: tuple[tuple[str, str], ...] = ()  # ("trash", "Poubelle"): mailboxes that the person assigned to a role

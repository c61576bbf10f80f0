"""Errors of connected services, and the words by which a row keeps what is wrong (`ConnectedService.problem`)."""

from __future__ import annotations

from enum import StrEnum

from webmail.errors import MailError


class ServiceProblem(StrEnum):
    CONSENT = "consent"  # taken back at the provider, or run out
    PASSWORD = "password"  # an app password is refused
    UNREADABLE = "unreadable"  # the secret can't be read here any more: `secret_key` is another one
    LOST = "lost"  # the provider's new tokens never arrived here, and it takes the old ones no longer
    CLIENT = "client"  # the provider does not take our own client id and secret: the administrator's to mend
    AWAY = "away"  # it did not answer


class ServiceError(MailError):
    """Base class of what can go wrong with a connected service."""

    status = 502


class NoSuchServiceError(ServiceError):
    """There is no such connection of this person."""

    status = 404


class NotOfferedError(ServiceError):
    """The installation, or one of their groups, lets this person use the service no longer."""

    status = 403


class ConsentEndedError(ServiceError):
    """The provider takes what we have no longer: the person has to connect the service again."""

    status = 409


class ServiceAwayError(ServiceError):
    """The service does not answer, or with a fault of its own. A later try may help."""

    status = 503


class ServiceSetupError(ServiceError):
    """The provider refuses us, not the person: `code` is its own word, such as invalid_client."""

    status = 503

    def __init__(self, code: str) -> None:
        super().__init__(f"the provider refuses this installation: {code}")
        self.code = code


class TryLaterError(ServiceError):
    """The service asks us to come back in `seconds`: too many requests, or it is busy."""

    status = 503

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the service wants us to wait {seconds} s")
        self.seconds = seconds


class StillNeededError(ServiceError):
    """Something that came from the service can't go: other people count on it."""

    status = 409


class TooManyServicesError(ServiceError):
    """The person has as many as may be."""

    status = 422

"""Service faults: what goes wrong between us and a connected service, as a drive's error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from webmail.drives.drive import DriveError, DriveFault
from webmail.http_fetch import AddressForbiddenError, AnswerTooLargeError, NotFetchedError
from webmail.services.service_errors import (
    ConsentEndedError,
    NoSuchServiceError,
    NotOfferedError,
    ServiceAwayError,
    ServiceSetupError,
    TryLaterError,
)

_FAULTS: tuple[tuple[type[Exception], DriveFault], ...] = (
    (ConsentEndedError, DriveFault.SIGN_IN),
    (NoSuchServiceError, DriveFault.SIGN_IN),  # disconnected meanwhile
    (NotOfferedError, DriveFault.REFUSED),
    (ServiceAwayError, DriveFault.AWAY),
    (ServiceSetupError, DriveFault.AWAY),
    (AddressForbiddenError, DriveFault.FORBIDDEN_PLACE),
    (AnswerTooLargeError, DriveFault.TOO_MANY),
    (NotFetchedError, DriveFault.AWAY),
)
_KINDS = tuple(kind for kind, _fault in _FAULTS)


@contextmanager
def as_drive_errors() -> Iterator[None]:
    """Raises DriveError for all that a request to a service may raise."""
    try:
        yield
    except TryLaterError as error:
        raise DriveError(DriveFault.BUSY, str(error), error.seconds) from error
    except _KINDS as error:
        raise DriveError(next(fault for kind, fault in _FAULTS if isinstance(error, kind)), str(error)) from error

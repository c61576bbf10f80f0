"""Kinds of devices that are helped to connect. Their names and steps: `auth/devices/instructions.py`."""

from __future__ import annotations

from enum import StrEnum


class DeviceKind(StrEnum):
    """What somebody has; the word stands in addresses and in `AppPassword.kind`."""

    IPHONE = "iphone"  # or iPad
    MAC = "mac"
    ANDROID = "android"
    THUNDERBIRD = "thunderbird"
    OUTLOOK = "outlook"
    EVOLUTION = "evolution"
    KDE = "kde"
    OTHER = "other"

    @property
    def takes_profile(self) -> bool:
        """Whether it is set up by Apple's profile."""
        return self in (DeviceKind.IPHONE, DeviceKind.MAC)

    @property
    def takes_dav(self) -> bool:
        """Whether it can have calendars and contacts; Outlook speaks neither CalDAV nor CardDAV."""
        return self is not DeviceKind.OUTLOOK


def kind_of(word: str) -> DeviceKind:
    """`OTHER` for an app password that was made by hand."""
    return DeviceKind(word) if word in set(DeviceKind) else DeviceKind.OTHER

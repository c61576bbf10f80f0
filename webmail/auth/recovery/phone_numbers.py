"""Telephone numbers: read as people type them, and shown as people read them (E.164). No Flask here."""

from __future__ import annotations

import re
from enum import StrEnum

_LONGEST = 40  # characters of what is typed
_BETWEEN = re.compile(r"[\s.()/\-\u2010-\u2015]")
_NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")  # E.164; shorter ones are of services
_NOWHERE = ("+800", "+808", "+87", "+88", "+979")  # of no country, many of them dear: satellites, shared costs, premium
# which numbers of a country are those of mobile telephones, where that is plain; no others get text messages for a usual price
_MOBILE = {
    "+33": r"\+33[67]\d{8}", "+44": r"\+447\d{9}", "+32": r"\+324\d{8}", "+41": r"\+417[4-9]\d{7}", "+352": r"\+3526\d{8}",
    "+49": r"\+491[567]\d{8,9}", "+34": r"\+34[67]\d{8}", "+39": r"\+393\d{8,9}",
}  # fmt: skip


class NumberFault(StrEnum):
    """Why something can't be a number for text messages."""

    INVALID = "invalid"
    NOT_MOBILE = "not-mobile"  # a fixed, a premium or a satellite one
    SAME = "same"  # it is that already


class NumberRefusedError(ValueError):
    """`fault`: why."""

    def __init__(self, fault: NumberFault) -> None:
        super().__init__(fault)
        self.fault = fault


def parse(typed: str, country: str) -> str:
    """The number that was typed in any usual way, as "+33612345678". `country`: of numbers with a 0. Raises
    NumberRefusedError."""
    if len(typed) > _LONGEST:
        raise NumberRefusedError(NumberFault.INVALID)
    digits = _BETWEEN.sub("", typed.replace("(0)", ""))
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif digits.startswith("0"):
        digits = country + digits[1:]
    if not digits.isascii() or not _NUMBER.fullmatch(digits):
        raise NumberRefusedError(NumberFault.INVALID)
    code = next((code for code in _MOBILE if digits.startswith(code)), "")
    if digits.startswith(_NOWHERE) or (code and not re.fullmatch(_MOBILE[code], digits)):
        raise NumberRefusedError(NumberFault.NOT_MOBILE)
    return digits


def grouped(number: str) -> str:
    """In groups, as people read it: "+33 6 12 34 56 78"."""
    if number.startswith("+33") and len(number) == 12:
        return " ".join([number[:3], number[3], *re.findall("..", number[4:])])
    code = next((code for code in _MOBILE if number.startswith(code)), number[:3])
    rest = number[len(code) :]
    return " ".join([code, *re.findall(".{1,3}", rest)])


def masked(number: str) -> str:
    """A number that its owner recognises and others learn little from: "+33…78"."""
    return f"{number[:3]}…{number[-2:]}" if number else ""

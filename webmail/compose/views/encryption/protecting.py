"""Protecting: what the writing page says of signing and encrypting before *Send*, and how it is done at *Send*."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import request

from webmail.compose import identities
from webmail.compose.attachments import attachment_rows
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import draft_message
from webmail.compose.encryption import finished_messages, protection, protection_texts, sending_plan
from webmail.compose.encryption.finished_messages import FinishedMessage
from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.encryption.recipient_keys import MissingKey, RecipientKey
from webmail.compose.encryption.sending_plan import SendingPlan
from webmail.compose.forms import RECIPIENTS, ComposeForm
from webmail.compose.outbox.queue import ProtectedBuild
from webmail.compose.views.editor import my_identities
from webmail.compose.views.encryption.begun_protection import wishes
from webmail.compose.views.encryption.keyring_access import has_keys, my_keys, opened
from webmail.keys import own_keys
from webmail.mail import Draft
from webmail.models import DraftRow
from webmail.web.current import current_user, settings


@dataclass(frozen=True, slots=True)
class ProtectionRow:
    """What stands on the writing page: what can be chosen, what will be done, and for whom it can't be.

    `keyless`: for whom a key is wanted, and none is known that could be used.
    """

    choices: dict[str, str]
    chosen: str
    sentence: str
    missing: tuple[tuple[RecipientKey, str], ...]
    never_for: tuple[str, ...]
    is_good: bool
    is_encrypted: bool
    keyless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendingProtection:
    """How a message is protected as it leaves (`build`; None: not at all), or what is asked first, for the template."""

    build: ProtectedBuild | None = None
    question: dict[str, Any] | None = None
    autocrypt: str = ""


@blueprint.app_template_global()
def protection_row(form: ComposeForm) -> ProtectionRow | None:
    """The row of the form; None for people without keys. Three SELECTs, none for those."""
    if not has_keys():
        return None
    addresses = [one.email for name in RECIPIENTS for one in draft_message.readable_addresses(form[name].data or "")]
    chosen = _chosen(form)
    found = _plan(chosen, _sender(form), addresses)
    labels = protection_texts.choice_labels()
    if chosen != MessageProtection.WHERE_POSSIBLE and wishes().encrypt != "possible":
        labels.pop(MessageProtection.WHERE_POSSIBLE)
    missing = found.coverage.missing if found.is_encrypted and found.coverage is not None else ()
    listed = tuple((one, protection_texts.why_missing(one)) for one in missing)
    good = not found.is_plain and not listed and not found.lacks_signer
    return ProtectionRow(
        labels, chosen, protection_texts.plan_sentence(found), listed, found.never_for, good, found.is_encrypted,
        _keyless(chosen, found),
    )  # fmt: skip


def _keyless(chosen: MessageProtection, found: SendingPlan) -> tuple[str, ...]:
    """Nobody whose key the person blocked, or for whom they never encrypt; nobody at all where encryption isn't wanted."""
    if found.coverage is None or not protection.is_sealed(chosen):
        return ()
    missing = (one for one in found.coverage.missing if one.why is not MissingKey.BLOCKED)
    return tuple(one.address for one in missing if one.address not in found.never_for)


def _chosen(form: ComposeForm) -> MessageProtection:
    given = MessageProtection(protection.checked(form.protection.data or ""))
    return given or protection.begun(encrypt=wishes().encrypt, sign=wishes().sign)


def _sender(form: ComposeForm) -> str:
    return identities.chosen(my_identities(), form.identity.data).address


def _plan(chosen: str, sender: str, addresses: list[str]) -> SendingPlan:
    own = settings().own_domains(current_user().domain)
    inside = bool(addresses) and all(one.rpartition("@")[2].lower() in own for one in addresses)
    return sending_plan.plan(current_user().id, my_keys(), chosen, sender, addresses, wishes(), inside=inside)


# --- at Send ---------------------------------------------------------------------------------------------------------


def needs_passphrase(row: DraftRow) -> bool:
    """Whether the draft has files that nobody can read while the keyring is closed. One SELECT, none without a seal."""
    return row.seal_public is not None and any(
        one.sealed is not None and one.content_key is None for one in attachment_rows.of_draft(row)
    )


def settle(form: ComposeForm, draft: Draft, *, sure: bool) -> SendingProtection:
    """How a message that is about to leave is protected, or what has to be asked first. No query for people without keys."""
    if not has_keys():
        return SendingProtection()
    chosen = _chosen(form)
    plan = _plan(chosen, draft.identity.email, [one.email for one in draft.recipients])
    autocrypt = finished_messages.autocrypt_value(my_keys(), draft.identity.email, mutual=wishes().encrypt == "possible")
    if plan.lacks_signer or (plan.is_encrypted and (plan.coverage is None or plan.coverage.missing)):
        return SendingProtection(question={"unprotected": True})
    if form.was_encrypted.data and not plan.is_encrypted and not form.encrypt_asked.data:
        return SendingProtection(question={"answers_encrypted": True})
    if not sure and wishes().encrypt == "ask" and plan.could_encrypt and not form.encrypt_asked.data:
        return SendingProtection(
            question={"could_encrypt": [one.address for one in plan.coverage.recipients] if plan.coverage else []}
        )
    if plan.is_plain:
        return SendingProtection(autocrypt=autocrypt)
    secret = None
    if plan.signer is not None:
        if (keyring := opened()) is None:
            return SendingProtection(question=passphrase_question())
        secret = own_keys.secret_of(plan.signer, keyring)
    word = "encrypted" if plan.is_encrypted else "signed"
    return SendingProtection(
        ProtectedBuild(word, partial(_finished, plan, secret, current_user().id), plan.is_encrypted), None, autocrypt
    )


def _finished(plan: SendingPlan, secret: bytes | None, owner: int, draft: Draft, date: datetime) -> Iterator[FinishedMessage]:
    return finished_messages.finished(draft, plan, secret, date, owner)


def passphrase_question() -> dict[str, Any]:
    """Ask for the passphrase; the button does then what was asked for."""
    pressed = request.form.get("action", "send")
    return {"asks_passphrase": pressed if pressed not in ("enter", "save", "autosave") else "send"}

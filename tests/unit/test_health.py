"""What `/healthz?full` and the doctor say of mail of the establishment."""

from __future__ import annotations

from datetime import timedelta

from tests.support.system_mail import queued
from webmail import health
from webmail.models import SystemMessage, now


def of_system_mail(here) -> health.HealthCheck:
    return next(check for check in health.examine(here.settings) if check.name == "system mail")


def test_a_message_that_should_have_left_is_told(here):
    queued()
    assert of_system_mail(here).good
    SystemMessage.update(due=now() - timedelta(minutes=6)).execute()
    assert (of_system_mail(here).good, of_system_mail(here).words[:2]) == (False, "1 ")

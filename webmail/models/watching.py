"""Tables of watching: what requests were counted, figures of each day, and what the doctor found last."""

from __future__ import annotations

import peewee as pw

from webmail.models.base import Table, now


class MetricCount(Table):
    """A number that only grows, of all processes together: `name` is one of a bounded list (admin/watching/request_counts.py)."""

    name = pw.CharField(max_length=100, primary_key=True)
    value = pw.BigIntegerField(default=0)

    class Meta:
        table_name = "metric_counts"


class DailyFigure(Table):
    """A figure of one day, as the worker last made it. The day is the establishment's."""

    day = pw.CharField(max_length=10)  # 2026-12-01
    name = pw.CharField(max_length=40)
    value = pw.BigIntegerField()
    at = pw.DateTimeField(default=now)

    class Meta:
        table_name = "daily_figures"
        indexes = ((("name", "day"), True),)


class CheckNote(Table):
    """What the doctor found last, as the worker asked it; all rows are replaced at once."""

    name = pw.CharField(max_length=60)
    state = pw.CharField(max_length=10)  # ok, warning, problem
    text = pw.TextField(default="")  # an English sentence
    texts = pw.TextField(null=True)  # JSON: the same by language
    days = pw.IntegerField(null=True)  # that a certificate is still valid
    at = pw.DateTimeField(default=now)

    class Meta:
        table_name = "check_notes"


class CheckState(Table):
    """A check that is not well, or was not: what administrators were told of it, so that it is told once."""

    name = pw.CharField(max_length=60, primary_key=True)
    state = pw.CharField(max_length=10)  # as it was found last
    since = pw.DateTimeField(default=now)
    told = pw.CharField(max_length=10, default="ok")  # the state that was told last
    missed = pw.IntegerField(default=0)  # how often in a row it was not found at all

    class Meta:
        table_name = "check_states"


class DnsNote(Table):
    """A record that belongs in DNS, and what the worker last found in its place; all rows are replaced at once."""

    domain = pw.CharField(max_length=253)
    name = pw.CharField(max_length=270)  # ends in a dot; of a policy its address
    kind = pw.CharField(max_length=10)  # MX, TXT, ...; HTTPS: a file, no record
    value = pw.TextField(default="")  # ready to paste; "": only the owner knows it
    why = pw.CharField(max_length=20)  # what it is for, a word of admin/watching/dns_texts.py
    state = pw.CharField(max_length=10)  # ok, advised, unknown, warning, problem
    code = pw.CharField(max_length=20)  # what is wrong, a word of admin/watching/dns_texts.py
    found = pw.TextField(default="")
    at = pw.DateTimeField(default=now)

    class Meta:
        table_name = "dns_notes"


class CheckRequest(Table):
    """Checks that an administrator wants now: the worker takes the row away and does them."""

    name = pw.CharField(max_length=20, primary_key=True)  # dns, doctor
    at = pw.DateTimeField(default=now)

    class Meta:
        table_name = "check_requests"

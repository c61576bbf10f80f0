"""The list of who booked, by host: to print, and as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from itertools import groupby

from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.appointments import bookings
from webmail.appointments.blueprint import blueprint
from webmail.appointments.texts import asked_fields, slot_day, slot_hours
from webmail.appointments.views.mine import booked_rows, mine, own_hosts
from webmail.mime.formats.address_books.csv_out import harmless
from webmail.web.current import settings
from webmail.web.rendering import page
from webmail.web.responses.downloads import named


@blueprint.get("/appointments/<int:number>/list")
def show_list(number: int) -> Response:
    offer = mine(number)
    rows = sorted(booked_rows(offer, own_hosts(offer)), key=lambda one: one.host.casefold())
    groups = [(name, list(some)) for name, some in groupby(rows, key=lambda one: one.host)]
    return page("appointments/list.html", offer=offer, groups=groups)


@blueprint.get("/appointments/<int:number>/list.csv")
def list_file(number: int) -> Response:
    """A row for each booking; no cell is a formula."""
    offer = mine(number)
    asked = asked_fields(offer)
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(map(harmless, [_("With"), _("Day"), _("Time"), _("Name"), _("Address"), *asked.values()]))
    for one in sorted(booked_rows(offer, own_hosts(offer)), key=lambda row: row.host.casefold()):
        booking, given = one.booking, bookings.answers(one.booking)
        when = [slot_day(booking.slot, settings()), slot_hours(booking.slot, settings())]
        cells = [one.host, *when, booking.name, booking.address, *(given.get(name, "") for name in asked)]
        out.writerow([harmless(str(cell)) for cell in cells])
    return named(("\ufeff" + text.getvalue()).encode(), "text/csv", f"appointments-{number}.csv")

"""Calendar texts (RFC 5545): parsed, shown, changed, as objects that calendars store. What recurs: `recurrence/`."""

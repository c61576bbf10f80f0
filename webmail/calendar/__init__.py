"""Calendars: events in tables, changed by pages here and by devices through `webmail/dav/`; a folder for each further part."""

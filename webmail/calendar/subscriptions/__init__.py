"""Subscribed calendars: fetched from an address elsewhere, only read."""

"""Google Takeout: the archive that people bring from Google, with mail, contacts and calendars, looked through and taken over."""

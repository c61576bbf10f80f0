"""CalDAV and CardDAV: the protocol by which devices read and write calendars and books."""

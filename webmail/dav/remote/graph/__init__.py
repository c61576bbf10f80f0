"""Graph: calendars and contacts of Microsoft 365, asked by its REST interface, behind the same methods as a DAV server."""

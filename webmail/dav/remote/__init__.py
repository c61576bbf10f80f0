"""Collections that live on another CalDAV or CardDAV server: a client, what is known of both sides, and their synchronisation."""

"""Mail about mailboxes, to the administrator."""

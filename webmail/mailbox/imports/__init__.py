"""Mail brought in: from files of other programs, or from a mailbox on another server."""

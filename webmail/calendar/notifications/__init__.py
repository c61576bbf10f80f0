"""Mail about one's own calendar, written by the worker."""

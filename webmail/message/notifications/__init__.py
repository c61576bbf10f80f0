"""Mail about one's own messages, written by the worker."""

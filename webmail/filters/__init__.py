"""Filters: what the mail server does with mail as it arrives, as Sieve scripts (RFC 5228) that it keeps."""

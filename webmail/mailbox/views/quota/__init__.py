"""Pages about a full mailbox: what takes the space, and asking for more."""

"""What takes the space in a mailbox, and asking for more."""

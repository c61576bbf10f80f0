"""Plain text of messages: shown, quoted, and what is signature or mere excuse in it."""

"""People suggested while a name is typed: whom one wrote to, and their rows in memory."""

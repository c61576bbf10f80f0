"""Following: what subscribed calendars and accounts on other servers have in common."""

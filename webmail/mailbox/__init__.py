"""Mail lists: what is done to messages in them, folders, tags, search, snoozing, import and export."""

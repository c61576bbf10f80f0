"""Mail to people whose files FileSender did not get."""

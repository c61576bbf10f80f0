"""One message or conversation: its structure, its texts, what is attached."""

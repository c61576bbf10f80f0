"""Files of a draft: uploaded, taken from other messages, shown within its text."""

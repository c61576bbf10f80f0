"""Drafts: rows with the latest text, their copies in the folder Drafts, and the message that a draft becomes."""

"""Rows of messages: one page of a mailbox or search, alone or as conversations."""

"""Searches: from what is typed to SEARCH keys, over one mailbox or many."""

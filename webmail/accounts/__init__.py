"""Accounts: what people do with their own (export of data, deletion, support), and the page of their long work."""

"""Handing over mailboxes: what a substitute's or a successor's record means on the mail server, and its pages."""

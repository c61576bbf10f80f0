"""Signed and encrypted messages on their page: what stands in place of what was opened, words of verdicts. No Flask."""

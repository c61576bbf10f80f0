"""Saving: files of transfers that their owner has put on a server of their own."""

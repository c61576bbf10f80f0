"""Replies and forwards: what a new message takes over from the one it answers."""

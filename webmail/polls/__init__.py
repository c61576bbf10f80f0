"""Polls for a date: several dates, a public page where people answer yes, if need be or no, and the event that comes of it."""

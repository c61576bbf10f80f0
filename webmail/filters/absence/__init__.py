"""Absence: automatic answers while somebody is away, and the days that are offered."""

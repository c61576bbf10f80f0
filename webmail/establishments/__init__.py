"""Establishments that share an installation: their domains, who administers which, and whose accounts that makes them see."""

"""Departures: what others use of somebody whose account is to go, who gets it, and who is told."""

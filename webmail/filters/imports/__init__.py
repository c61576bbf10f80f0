"""Imports: rules of other programs as ours, and a list of what has no equal here. Formats by themselves: no Flask, no server."""

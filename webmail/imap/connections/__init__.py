"""Connections: opened, pooled, spoken over (commands, responses), and kept from a server that is away."""

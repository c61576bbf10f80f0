"""Forwarding: where somebody's mail goes by itself, who confirmed it, and what the establishment allows."""

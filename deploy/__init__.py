"""Deployment: configuration of the servers around Traboule, and the demo that runs them all."""

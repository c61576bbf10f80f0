"""Configuration of the servers around Traboule, and the demo that runs them all."""

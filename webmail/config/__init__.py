"""Settings of config.toml: read, checked, explained. `settings.py` has them all; a table of its own has a file of its own."""

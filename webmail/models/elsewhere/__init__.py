"""Tables of what people have on other servers, besides the services that they connect (`services.py`), and in backups."""

"""Command line, `flask --app wsgi ...`: a file a group of commands; `main.py` registers them."""

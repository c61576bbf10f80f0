"""Doctor, `flask --app wsgi doctor`: a file for each thing that it looks at; `checks.py` runs them all."""

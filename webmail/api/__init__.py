"""What scripts ask for: one table of operations (`operations.py`), from which requests are answered, the page `/api` is drawn and
`/api/openapi.json` is written. Like the command line it is a second way to what pages do: it uses every area, and no page."""

"""Database: connection, migrations, prepared queries, and helpers for transactions."""

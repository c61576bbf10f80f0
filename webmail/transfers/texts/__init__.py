"""Words about large files on pages and in mail."""

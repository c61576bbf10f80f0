"""Mail about large files as links: to owners, recipients and guests; written by pages and by the worker alike."""

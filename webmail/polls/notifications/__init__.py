"""Mail to people about polls."""

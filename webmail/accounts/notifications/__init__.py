"""Mail about accounts: what the administrator is asked, and what people have of it."""

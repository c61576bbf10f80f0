"""People, as administrators see and change them: one account or many, by pages and by commands alike. No Flask."""

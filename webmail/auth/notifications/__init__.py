"""Mail and text messages about signing in. Each is written in its reader's language, for pages and for the worker alike."""

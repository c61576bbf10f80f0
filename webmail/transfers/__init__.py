"""Large files sent as links: `store.py` has the transfers, `content.py` the bytes; both know nothing of Flask."""

"""Views of watching: overview, audit log, lists to act on."""

"""Recipients: names become addresses, suggestions while typing, groups, likely mistakes."""

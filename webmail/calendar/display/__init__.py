"""What pages show of events: which days, which events on them and where, and how an event is told in words."""

"""Pages of rooms and things: what there is, a room's week, what waits for approval; and rooms on pages of events."""

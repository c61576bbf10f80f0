"""Rooms and things that are booked with an event: what there is, who may, when they are free, and rows that cannot overlap."""

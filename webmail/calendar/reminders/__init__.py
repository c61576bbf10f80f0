"""Reminders and the daily agenda: when they are due, and what is sent. The mail itself: `webmail/calendar/notifications/`."""

"""What is to be done ("tasks" on screens): its pages. What is stored, and how: `webmail/calendar/todos/`."""

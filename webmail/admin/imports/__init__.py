"""Files of people brought in and given out: read, looked through, taken by a task; sheets with passwords; the school year."""

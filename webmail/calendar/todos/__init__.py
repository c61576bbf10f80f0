"""What is to be done (VTODO): its index, written with each object, and what lists ask of it. The pages: `webmail/todo/`."""

"""Views of files of people: import, sheets of passwords, export, the school year."""

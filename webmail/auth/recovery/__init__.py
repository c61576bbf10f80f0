"""Getting back in: forgotten passwords, recovery addresses, telephones, and the deputies who help face to face."""

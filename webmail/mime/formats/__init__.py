"""File formats: readers for attachments (vCard, iCalendar, RTF, winmail.dat, archives, images) that never trust them."""

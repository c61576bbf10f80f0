"""Connected services: accounts that people have elsewhere (Google, Microsoft, a Nextcloud, a FileSender), by their own consent.

Here is how they are connected, asked and disconnected. What is done with them is in the areas that use them: drives, calendars,
contacts, transfers.
"""

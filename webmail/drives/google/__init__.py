"""Google Drive (API v3): what was chosen in Google's own page, or made here; more the scope `drive.file` does not show."""

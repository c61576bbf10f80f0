"""OneDrive by Microsoft Graph: a person's own files, and those of SharePoint sites, as folders and by search.

Recent files and those that others share are not listed: Microsoft ended both of these lists with November 2026.
"""

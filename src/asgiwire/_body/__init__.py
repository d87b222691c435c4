"""The request body below ``Request``: one channel for each ``receive`` callable, and its readers."""

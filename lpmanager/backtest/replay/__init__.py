"""A market replayed, with a campaign in it that decides as a live one does."""

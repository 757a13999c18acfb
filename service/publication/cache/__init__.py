"""The cache of public answers: entries that changes invalidate, and that are revalidated in between."""

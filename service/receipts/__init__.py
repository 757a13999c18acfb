"""Receipts: the commenter's own view of a submission, without an account."""

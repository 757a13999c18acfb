"""Submission: from untrusted input to a pending comment that is durably stored."""

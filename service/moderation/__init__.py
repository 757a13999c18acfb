"""Moderation: the queue, claims, decisions, and taking them back."""

"""The moderation log: one hash chain per site that shows any later change, removal or cut."""

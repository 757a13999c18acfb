"""Greenroom: readers' comments wait here until a person approves them.

A comment comes in (`submission`) and is held. A moderator claims it, decides about it and can take the
decision back (`moderation`); what a comment is and which changes are legal stands in `comments`. The
world reads approved comments only (`publication`), and the commenter follows the comment through a
private link (`receipts`). Addresses lie encrypted in the vault (`privacy`), abuse is bounded by
`rate_limiting`, tenants are `sites`, moderators are `accounts`. `app` puts it together.
"""

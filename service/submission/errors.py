"""What can go wrong with a submission beyond its fields."""

from service.errors import Conflict


class DuplicateComment(Conflict):
    slug = "duplicate-comment"
    title = "This comment was already sent"
    advice = "Nothing: the first one waits for moderation or is published already."
    default_detail = "The same name and text were already sent under this article."

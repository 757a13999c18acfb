"""What can go wrong with what a comment says."""

from service.errors import Conflict


class DuplicateComment(Conflict):
    slug = "duplicate-comment"
    title = "This comment was already sent"
    advice = "Nothing, if it was you: the first one was taken. Else say it in other words."
    default_detail = "The same name and text were already sent under this article."

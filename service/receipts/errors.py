"""What an author can no longer do to a comment."""

from service.errors import Conflict


class AlreadyWithdrawn(Conflict):
    slug = "already-withdrawn"
    title = "The comment was withdrawn already"
    advice = "Nothing: it is not public any more."
    default_detail = "There is nothing left to withdraw."


class EditWindowClosed(Conflict):
    slug = "edit-window-closed"
    title = "The comment can no longer be corrected"
    advice = (
        "Withdraw the comment and send another one. "
        "The site's `edit_window_seconds` says for how long a comment can be corrected."
    )
    default_detail = "The time in which this comment could be corrected is over."

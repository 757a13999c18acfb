"""What the log says of accounts, roles and tokens, by which `greenroom log verify` holds their rows to it."""

from typing import Any

from sqlalchemy import null

from service.accounts.rules import Role
from service.accounts.tables import BearerToken, Membership, Moderator
from service.modlog.checking import Aspect


def _say_whether(yes: str, no: str) -> Any:
    """Make what says one of two words of a moment, or of None."""
    return lambda moment: no if moment is None else yes


def _say_admin(is_admin: Any) -> str:
    return {1: "admin", 0: "no admin"}.get(is_admin, repr(is_admin))


ROLES = ("none", *(role.word for role in Role))
ASPECTS = (
    Aspect(
        "The role of this account",
        {f"member.changed:{word}": word for word in ROLES},
        (Membership.site_id, Membership.moderator_id, Membership.role),
        str,
        unlogged="none",
        gone="none",
    ),
    Aspect(
        "This account",
        {
            "moderator.created": "no admin",
            "moderator.created:admin": "admin",
            "moderator.changed:admin": "admin",
            "moderator.changed:no-admin": "no admin",
            "moderator.removed": "no admin",
        },
        (null(), Moderator.id, Moderator.is_admin),
        _say_admin,
    ),
    Aspect(
        "This account",
        {
            "moderator.created": "enabled",
            "moderator.disabled": "disabled",
            "moderator.enabled": "enabled",
        },
        (null(), Moderator.id, Moderator.disabled_at),
        _say_whether("disabled", "enabled"),
    ),
    Aspect(
        "This account",
        {"moderator.created": "in use", "moderator.removed": "removed"},
        (null(), Moderator.id, Moderator.removed_at),
        _say_whether("removed", "in use"),
    ),
    Aspect(
        "This token",
        {"token.created": "good", "token.revoked": "revoked"},
        (BearerToken.site_id, BearerToken.id, BearerToken.revoked_at),
        _say_whether("revoked", "good"),
    ),
)

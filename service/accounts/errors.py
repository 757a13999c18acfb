"""What can go wrong about accounts."""

from service.errors import Conflict, ServiceError


class SignInFailed(ServiceError):
    status = 401
    slug = "sign-in-failed"
    title = "Wrong address or password"
    advice = "Check both. Someone who set no password signs in by a one-time link."
    default_detail = "There is no account with this address and this password."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class AccountDisabled(Conflict):
    slug = "account-disabled"
    title = "The account is disabled"
    advice = (
        "Enable it first: `greenroom moderator enable EMAIL`, or PATCH /v1/moderators/{moderator}."
    )
    default_detail = "This account is disabled, and nobody gets in by it."


class AccountExists(Conflict):
    slug = "account-exists"
    title = "There is an account with this address"
    advice = "Give the existing account a role instead of making another."
    default_detail = "A moderator with this address exists already."

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
    advice = "Enable it first: `greenroom moderator enable EMAIL`, or PATCH /v1/moderators/{moderator}."
    default_detail = "This account is disabled, and nobody gets in by it."


class LastOwner(Conflict):
    slug = "last-owner"
    title = "The last owner of a site stays its owner"
    advice = "Make somebody else an owner of the site first."
    default_detail = "The site would be left without an owner who can sign in."


class LastAdmin(Conflict):
    slug = "last-admin"
    title = "The last admin of the installation stays one"
    advice = "Make somebody else an admin first, as on the command line: `greenroom moderator create`."
    default_detail = "The installation would be left without an admin who can sign in."


class MemberExists(Conflict):
    slug = "member-exists"
    title = "This person is a member of the site already"
    advice = "Change the role with PUT /v1/sites/{site}/members/{moderator}."
    default_detail = "The account with this address has a role on the site already."


class AccountExists(Conflict):
    slug = "account-exists"
    title = "There is an account with this address"
    advice = "Give the existing account a role instead of making another."
    default_detail = "A moderator with this address exists already."

"""`greenroom moderator`: making accounts, seeing them, shutting them out and taking them away."""

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import click
import msgspec
from msgspec import UNSET, UnsetType

from service.accounts import operations
from service.accounts.credentials import Ended
from service.accounts.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS
from service.accounts.queries import read_addresses, read_moderators
from service.accounts.rules import parse_role
from service.accounts.schemas import AccountState, ChangeModerator, ModeratorView, Password
from service.command_line import commands
from service.command_line.refusals import CommandFailed, Commands, Misconfigured
from service.command_line.working import ROLES, as_json, count, show_list, work
from service.http.fields import find_errors
from service.privacy.vault import NO_SITE
from service.services import Services

# Of the longest line: a character has at most four bytes in UTF-8. What is endless is not read to its end.
MAX_BYTES = 4 * MAX_PASSWORD_CHARS + len(b"\r\n")
who_argument = click.argument("who", metavar="EMAIL|ID")
keep_tokens_option = click.option("--keep-tokens", is_flag=True, help="Let bearer tokens go on.")


class ShownModerator(ModeratorView, frozen=True, kw_only=True):
    """An account as the command line shows it, with its address where that was asked for."""

    email: str | UnsetType | None = UNSET

    @property
    def line(self) -> str:
        roles = [f"{one.site}:{one.role}" for one in self.roles]
        held = ", ".join([*(["admin"] if self.admin else []), *roles]) or "no role"
        email = [] if self.email is UNSET else [self.email or "no address"]
        return "\t".join([self.id, self.state, self.name, held, *email])


@click.group(cls=Commands)
def moderator() -> None:
    """Make moderators, see who there is, and end what lets them in."""


@moderator.command("create")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--site", "slug")
@click.option("--role", type=ROLES)
@click.option("--admin", is_flag=True, help="May do everything on every site.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input.")
def moderator_create(
    email: str, name: str, slug: str | None, role: str | None, admin: bool, password_stdin: bool
) -> None:
    """Make a moderator, or give the existing one a role; a new one without a password gets a link."""
    password = read_password() if password_stdin else None
    if role and not slug:
        raise click.ClickException("--role needs --site.")
    work(
        lambda services: commands.add_moderator(
            services,
            email,
            name,
            slug=slug,
            role=parse_role(role) if role else None,
            is_admin=admin,
            password=password,
            tell=click.echo,
        )
    )


@moderator.command("link")
@who_argument
def moderator_link(who: str) -> None:
    """Print a one-time link, for somebody who has no password or forgot it; links before it end."""
    work(lambda services: commands.make_sign_in_link(services, who, click.echo))


@moderator.command("password")
@who_argument
@keep_tokens_option
def moderator_password(who: str, keep_tokens: bool) -> None:
    """Set a password, read from standard input, and end all sessions, open links and tokens."""
    password = read_password()
    change = partial(operations.change_password, password=password, keep_tokens=keep_tokens)
    _do(who, change, "has a new password")


@moderator.command("list")
@click.option("--emails", is_flag=True, help="Show the addresses too, which the log will say.")
@as_json
def moderator_list(emails: bool, is_json: bool) -> None:
    """List the accounts: id, state, name and roles, separated by tabs."""
    found = work(_list_with_emails if emails else _list)
    show_list("moderators", found, is_json=is_json)


@moderator.command("sign-out")
@who_argument
@click.option("--tokens", is_flag=True, help="End bearer tokens too.")
def moderator_sign_out(who: str, tokens: bool) -> None:
    """End all sessions and open links of somebody."""
    sign_out = partial(operations.sign_out_everywhere, tokens=tokens, actor_id=None)
    _do(who, sign_out, "is signed out")


@moderator.command("disable")
@who_argument
def moderator_disable(who: str) -> None:
    """Let somebody in no more, until `moderator enable`; sessions, links and tokens end."""
    _do(who, _change_state("disabled"), "is disabled")


@moderator.command("enable")
@who_argument
def moderator_enable(who: str) -> None:
    """Let somebody in again who was disabled, with the same password and roles."""
    _do(who, _change_state("active"), "can sign in", tells_ended=False)


@moderator.command("remove")
@who_argument
def moderator_remove(who: str) -> None:
    """Take an account away for good, with its address and roles; the logs keep id and name."""
    _do(who, partial(operations.remove_account, actor_id=None), "is removed")


Operation = Callable[[Services, UUID], Awaitable[Ended]]


def _change_state(state: AccountState) -> Operation:
    command = ChangeModerator(state=state)
    return partial(operations.change_account, command=command, actor_id=None)


def _do(who: str, operation: Operation, outcome: str, *, tells_ended: bool = True) -> None:
    """Find somebody by address or id, do something about the account, and say what came of it."""

    async def run(services: Services) -> tuple[str, Ended]:
        async with services.reading() as session:
            found = await commands.get_moderator(services, session, who)
        return found.name, await operation(services, found.id)

    name, ended = work(run)
    things = (ended.sessions, "session"), (ended.links, "open link"), (ended.tokens, "token")
    sessions, links, tokens = (count(number, thing) for number, thing in things)
    told = f" {sessions}, {links} and {tokens} ended." if tells_ended else ""
    click.echo(f"{name} {outcome}.{told}")


async def _list(services: Services) -> list[ShownModerator]:
    async with services.reading() as session:
        found = await read_moderators(session)
    return [ShownModerator(**msgspec.structs.asdict(one)) for one in found]


async def _list_with_emails(services: Services) -> list[ShownModerator]:
    """List the accounts with their addresses, which are never shown without a line in the log."""
    found = await _list(services)
    async with services.changing(None) as work:
        ids = [UUID(one.id) for one in found]
        emails = await read_addresses(work.session, work.keyring, ids)
        work.log(NO_SITE, "moderator.revealed", "all")
    return [msgspec.structs.replace(one, email=emails.get(UUID(one.id))) for one in found]


def read_password() -> str:
    """Read a password from the first line of standard input; raises Misconfigured or CommandFailed."""
    try:
        line = sys.stdin.buffer.readline(MAX_BYTES + 1)
        if not line:
            raise Misconfigured("Standard input is empty or closed: send the password there, in one line.")
        # Of what is too long anyway the last character may be cut in two.
        password = line.decode(errors="strict" if len(line) <= MAX_BYTES else "replace")
    except UnicodeError:
        raise Misconfigured("The password on standard input is no UTF-8: write it so.") from None
    except OSError as error:
        raise Misconfigured(f"Standard input cannot be read: {error.strerror}.") from None
    password = password.rstrip("\r\n")
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise CommandFailed(f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters.")
    if find_errors(password, Password, "#"):
        raise CommandFailed("A password has no NUL in it.")
    return password

"""`greenroom token`: making, listing and revoking bearer tokens."""

from functools import partial

import click
import msgspec

from service.accounts.credentials import revoke_bearer_token
from service.accounts.queries import read_tokens, view_token
from service.accounts.rules import parse_role, require_id
from service.accounts.schemas import ModeratorRef, TokenView
from service.command_line import commands
from service.command_line.refusals import CommandFailed, Commands
from service.command_line.working import ROLES, as_json, show_list, work
from service.errors import NotFound
from service.services import Services


class ShownToken(TokenView, frozen=True, kw_only=True):
    """A token as the command line shows it: also whose it is."""

    moderator: ModeratorRef

    @property
    def line(self) -> str:
        used = f"used {self.last_used_at:%Y-%m-%d}" if self.last_used_at else "never used"
        reach = f"{self.site or 'every site'}, {self.role or 'any role'}"
        return "\t".join([self.id, self.moderator.name, self.name, reach, used])


@click.group(cls=Commands)
def token() -> None:
    """Make, list and revoke bearer tokens."""


@token.command("create")
@click.option("--moderator", "who", required=True, metavar="EMAIL|ID")
@click.option("--site", "slug", help="Limit it to one site.")
@click.option("--role", type=ROLES, help="Limit it to a lower role.")
@click.option("--name", default="command line", show_default=True)
def token_create(who: str, slug: str | None, role: str | None, name: str) -> None:
    """Print a bearer token, once, alone on standard output."""
    chosen = parse_role(role) if role else None
    make = partial(commands.make_bearer_token, who=who, slug=slug, role=chosen, name=name)
    work(partial(make, tell=click.echo))


@token.command("list")
@click.option("--moderator", "who", metavar="EMAIL|ID", help="Only those of one moderator.")
@as_json
def token_list(who: str | None, is_json: bool) -> None:
    """List the tokens that are not revoked: id, moderator, name, reach and last use, separated by tabs."""
    show_list("tokens", work(partial(_list_tokens, who=who)), is_json=is_json)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
def token_revoke(token_id: str) -> None:
    """Revoke a token by its id, at once."""
    work(partial(_revoke_token, text=token_id))
    click.echo("Revoked the token.")


async def _list_tokens(services: Services, who: str | None) -> list[ShownToken]:
    async with services.reading() as session:
        only = None if who is None else (await commands.get_moderator(services, session, who)).id
        found = await read_tokens(session, of=only)
    return [
        ShownToken(
            **msgspec.structs.asdict(view_token(row, slug)),
            moderator=ModeratorRef(str(row.moderator_id), moderator),
        )
        for row, moderator, slug in found
    ]


async def _revoke_token(services: Services, text: str) -> None:
    try:
        async with services.changing(None) as work:
            await revoke_bearer_token(work, require_id(text), of=None)
    except NotFound:
        raise CommandFailed("There is no such token: `token list` shows each with its id.") from None

"""`greenroom log`: checking the moderation logs, and accepting them after a restore."""

import re
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import click
import msgspec
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.unlogged import ASPECTS
from service.command_line.refusals import CommandFailed, Commands
from service.command_line.working import work
from service.comments.unlogged import ARTICLES, find_unlogged
from service.modlog.checking import check_chain, find_contradictions, find_strays
from service.modlog.operations import ACCEPTED, describe_acceptance, find_misfits
from service.modlog.rules import START, Flaw, Head
from service.privacy.vault import NO_SITE
from service.services import Services
from service.sites.tables import Site

# A length beyond any that could be reached is a slip of the keyboard.
_HEAD = re.compile(r"([^:]+):([0-9]{1,12}):([0-9a-fA-F]{64})")


class Verified(msgspec.Struct, frozen=True):
    """One chain after it was checked: its name, the head that the database has, and its flaws."""

    chain: UUID
    name: str
    head: Head
    flaws: list[Flaw]
    # The entries whose free text was erased, by `seq`.
    erased: list[int]
    # What came of accepting it: where the remembered heads stand that were set aside, or None.
    accepted: Path | None = None
    is_refused: bool = False

    @property
    def is_right(self) -> bool:
        return not self.flaws or self.accepted is not None

    @property
    def lines(self) -> list[str]:
        """The chain with all that is to be said about it."""
        lines = [self.line, *(f"  {flaw.line}" for flaw in self.flaws)]
        if self.erased:
            lines.append(f"  erased: the free text of entries {_join_ranges(self.erased)}")
        if self.accepted:
            lines.append(f"  accepted: the heads that it does not fit are in {self.accepted}")
        if self.is_refused:
            lines.append("  not accepted: remembered heads are not all that speaks against it")
        return lines

    @property
    def line(self) -> str:
        """The chain in one line, with its head in the form that --head takes."""
        state = f"{len(self.flaws)} flaws" if self.flaws else "whole"
        return f"{self.name}: {state}, {self.name}:{self.head.length}:{self.head.mac.hex()}"


@click.group(cls=Commands)
def log() -> None:
    """Check the moderation logs."""


@log.command("verify")
@click.option("--head", metavar="SITE:LENGTH:HASH", help="A head noted earlier, to hold the log to.")
@click.option(
    "--accept",
    is_flag=True,
    help="Say that chains are right which only the remembered heads speak against, as after a restore.",
)
def log_verify(head: str | None, accept: bool) -> None:
    """Check every chain; name each entry that was changed, removed, reordered or cut off.

    Ends with status 1 when there is one.
    """
    if head is not None and accept:
        raise click.UsageError("--accept goes by the remembered heads alone: leave --head out.")
    check = accept_logs if accept else partial(verify_logs, head=head)
    results = work(check)
    for result in results:
        click.echo("\n".join(result.lines))
    if not all(result.is_right for result in results):
        sys.exit(1)


async def verify_logs(services: Services, head: str | None = None) -> list[Verified]:
    """Check every chain; `head` is one more head to hold it to, as `SITE:LENGTH:HASH`."""
    given = dict([_parse_head(head)] if head is not None else [])
    # Before the database is looked at, whose chains go on growing.
    remembered = services.log_heads.recall()
    async with services.reading() as session:
        keyring = await services.vault.keyring(session)
        slugs = dict((await session.exec(select(Site.id, Site.slug))).all())
        chains = {chain: _name_chain(chain, slugs) for chain in {NO_SITE, *remembered, *slugs}}
        if unknown := set(given).difference(chains.values()):
            raise CommandFailed(f"There is no log of {unknown.pop()!r}.")
        others = await _find_beside_chains(session, remembered)
        results = []
        for chain, name in sorted(chains.items()):
            heads = [*remembered.get(chain, []), *([given[name]] if name in given else [])]
            checked = await check_chain(session, keyring, chain, heads)
            flaws = [*checked.flaws, *others.get(chain, [])]
            results.append(Verified(chain, name, checked.head, flaws, checked.erased))
    return results


async def _find_beside_chains(session: AsyncSession, remembered: Collection[UUID]) -> dict[UUID, list[Flaw]]:
    """Find what is wrong beside the chains themselves, by the chain that it is told with."""
    flaws = await find_unlogged(session)
    chains = {NO_SITE, *remembered, *(await session.exec(select(Site.id))).all()}
    for chain, flaw in await find_contradictions(session, (*ASPECTS, ARTICLES)):
        flaws.setdefault(chain if chain in chains else NO_SITE, []).append(flaw)
    strays = await find_strays(session, select(Site.id), {NO_SITE, *remembered})
    flaws.setdefault(NO_SITE, []).extend(strays)
    return flaws


async def accept_logs(services: Services) -> list[Verified]:
    """Check every chain, and accept those that are whole but for the heads that are remembered of them.

    What is accepted stands in the chain itself, or in the installation's where its site is gone.
    """
    results = []
    for chain in await verify_logs(services):
        accepted = await _accept(services, chain) if chain.flaws else None
        is_refused = bool(chain.flaws) and accepted is None
        results.append(msgspec.structs.replace(chain, accepted=accepted, is_refused=is_refused))
    return results


async def _accept(services: Services, checked: Verified) -> Path | None:
    """Set aside the remembered heads that a chain does not fit; None where something else is wrong."""
    everything = services.log_heads.recall()
    remembered = everything.get(checked.chain, [])
    async with services.reading() as session:
        keyring = await services.vault.keyring(session)
        # What the database itself speaks against is not a matter of taste.
        beside = (await _find_beside_chains(session, everything)).get(checked.chain)
        is_whole = not (beside or (await check_chain(session, keyring, checked.chain, [])).flaws)
        misfits = await find_misfits(session, checked.chain, remembered)
        is_kept = checked.chain == NO_SITE or await session.get(Site, checked.chain) is not None
    if not is_whole or not misfits:
        return None
    record_in = checked.chain if is_kept else NO_SITE
    # First on record, then out of the way: what breaks off in between is begun anew.
    async with services.changing(None) as work:
        work.log(record_in, ACCEPTED, describe_acceptance(checked.chain, misfits))
    label = f"set-aside-{work.now:%Y%m%dT%H%M%SZ}"
    return services.log_heads.set_aside(checked.chain, misfits, label)


def _name_chain(chain: UUID, slugs: Mapping[UUID, str]) -> str:
    """Name a chain by its site; what is in parentheses is not a site that there is."""
    if chain == NO_SITE:
        return "(installation)"
    return slugs.get(chain, f"({chain})")


def _join_ranges(places: Sequence[int]) -> str:
    """Write ascending places as `3, 5 to 9, 12`."""
    ranges: list[list[int]] = []
    for place in places:
        if ranges and place == ranges[-1][-1] + 1:
            ranges[-1][1:] = [place]
        else:
            ranges.append([place])
    return ", ".join(" to ".join(map(str, one)) for one in ranges)


def _parse_head(text: str) -> tuple[str, Head]:
    found = _HEAD.fullmatch(text)
    # What has no entry ends as it begins.
    if found is None or (not int(found[2]) and bytes.fromhex(found[3]) != START):
        raise CommandFailed("--head is SITE:LENGTH:HASH, as `greenroom log verify` prints it.")
    return found[1], Head(int(found[2]), bytes.fromhex(found[3]))

"""Answering decisions again: what somebody may not decide about any more is not told a second time."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.accounts.rules import Caller, Role
from service.clock import parse_id
from service.comments.tables import Comment
from service.moderation.schemas import Result


async def check_rights_again(
    session: AsyncSession, caller: Caller, stored: Sequence[Result]
) -> list[Result]:
    """Give stored results as far as the caller may know them now, as a first request would be answered.

    Raises NotAllowed when the role has become too low for one of the comments.
    """
    ids = [found for one in stored if (found := parse_id(one.comment or ""))]
    query = select(Comment.id, Comment.site_id).where(col(Comment.id).in_(ids))
    sites = dict((await session.exec(query)).all())
    return [_see(caller, one, sites) for one in stored]


def _see(caller: Caller, result: Result, sites: Mapping[UUID, UUID]) -> Result:
    if result.outcome == "not_found" or result.comment is None:
        return result
    site_id = sites.get(UUID(result.comment))
    if site_id is None or caller.role_on(site_id) is None:
        return Result(result.comment, "not_found", None, None)
    caller.require(site_id, Role.MODERATOR)
    return result

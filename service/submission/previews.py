"""Showing a text as it would be seen as a comment."""

from service.comments.texts import check_apart, check_text, render_apart, require_text
from service.errors import FieldRefused, Invalid
from service.rate_limiting.rules import Limit, Rule
from service.services import Services
from service.sites.directory import KnownSite
from service.submission.schemas import Preview

LIMIT = Limit(burst=60, period_seconds=60)


async def charge_preview(services: Services, prefix: str) -> None:
    """Charge a preview to the network that asks for it; raises RateLimited."""
    await services.charge([Rule("preview", LIMIT, prefix)])


async def preview_text(services: Services, site: KnownSite, raw: object, prefix: str) -> Preview:
    """Render a text under the bounds of a submission; stores nothing. Raises RateLimited or Invalid."""
    await charge_preview(services, prefix)
    try:
        typed, most = require_text("text", raw), site.policy.max_text_chars
        text = await check_apart(lambda: check_text(typed, most), typed)
    except FieldRefused as refusal:
        raise Invalid(errors=[refusal.as_error(pointer="#/text")]) from None
    return Preview(await render_apart(text))

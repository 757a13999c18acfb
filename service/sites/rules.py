"""What a site may be called."""

import msgspec

from service.http.wire import Slug


def is_slug(text: str) -> bool:
    """Tell whether a site may have this slug."""
    try:
        msgspec.convert(text, Slug)
    except msgspec.ValidationError:
        return False
    return True

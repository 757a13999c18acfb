"""What a moderator sees of an address without asking for it."""

# A part shorter than this would be half given away by its first character.
MIN_PART_CHARS = 4


def hint_address(address: str) -> str:
    """Shorten an address to something like `a…@e….org`; of short parts nothing is shown."""
    local, _, domain = address.rpartition("@")
    name, dot, top = domain.rpartition(".")
    return f"{_shorten(local)}@{_shorten(name)}{dot}{top}"


def _shorten(part: str) -> str:
    return f"{part[0]}…" if len(part) >= MIN_PART_CHARS else "…"

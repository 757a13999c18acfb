"""What can go wrong about sites."""

from collections.abc import Mapping

from service.errors import Conflict


class SlugInvalid(Exception):
    """No site can have this slug."""

    def __init__(self) -> None:
        super().__init__("A slug has 1 to 63 lower-case letters, digits and hyphens.")


class SettingInvalid(Exception):
    """Some settings do not exist or may not have their value; `faults` says why, by their names."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = faults
        super().__init__(" ".join(f"{name}: {why}" for name, why in faults.items()))


class SiteExists(Conflict):
    slug = "site-exists"
    title = "There is a site with this slug"
    advice = "Choose another slug, or change the existing site."
    default_detail = "A site with this slug exists already."


class SettingFixed(Conflict):
    slug = "setting-fixed"
    title = "This setting cannot change any more"
    advice = "`trailing_slash` decides which pages are one article, so it is set before the first comment."
    default_detail = "The setting cannot change once there are comments."

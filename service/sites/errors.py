"""What can go wrong about sites."""

from service.errors import Conflict


class SiteExists(Conflict):
    slug = "site-exists"
    title = "There is a site with this slug"
    advice = "Choose another slug, or change the existing site."
    default_detail = "A site with this slug exists already."


class SettingFixed(Conflict):
    slug = "setting-fixed"
    title = "This setting cannot change any more"
    advice = (
        "`trailing_slash` and `host_aliases` decide which pages are one article, "
        "so they are set before the first comment, and before such an article is listed or closed."
    )
    default_detail = "The setting cannot change once there are comments."

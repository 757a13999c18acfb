"""The fields of WordPress's form and its plug-ins that hold nothing that anybody wrote, by their names."""

import re
from collections.abc import Mapping

# No name below is as long, and longer ones are not looked at.
MAX_NAME_CHARS = 80
_NAMES: Mapping[str, str] = {
    "submit": "the button",
    "wp-comment-cookies-consent": "whether WordPress may set a cookie",
    "akismet_comment_nonce": "a nonce of Akismet",
    "ak_js": "a clock of Akismet",
    "ak_hp_textarea": "a honeypot of Akismet",
    "ab_init_time": "a clock of Antispam Bee",
    "_wp_unfiltered_html_comment": "a nonce of WordPress",
    "_wp_http_referer": "the page's path",
}
# Of a kind there are more than anybody lists: the first that fits counts. `annonce` holds no nonce.
_KINDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        (r"captcha|turnstile|^altcha|^smart-token$|^fc-token$|^frc-|hashcash", "a captcha"),
        (r"^ak_|^akismet", "a field of Akismet"),
        (r"^ab_", "a field of Antispam Bee"),
        (r"^apbct|^ct_(checkjs|bot|no_cookie)|cleantalk", "a field of CleanTalk"),
        (r"honey|(^|[_-])hp([_-]|$)", "a honeypot"),
        (r"(^|[_-])(wp)?nonce([_-]|\d|$)|(?-i:[a-z]Nonce$)", "a nonce"),
        (r"(^|[_-])(csrf|xsrf)?token([_-]|\d|$)|(?-i:[a-z]Token$)", "a token"),
        (r"^_wp", "a field of WordPress"),
    )
)


def explain_plugin_field(name: str) -> str | None:
    """Say what a field is that nobody writes into; None for any other."""
    if len(name) > MAX_NAME_CHARS:
        return None
    kinds = (meaning for pattern, meaning in _KINDS if pattern.search(name))
    return _NAMES.get(name) or next(kinds, None)

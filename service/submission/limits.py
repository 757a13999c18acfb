"""The rate limits of submissions."""

from service.form.fields import Submission
from service.rate_limiting.rules import Limit, Rule
from service.sites.directory import KnownSite

# Over all prefixes an address has this many times its limit; beyond it, comments are held with a signal.
FLOOD_FACTOR = 10
FLOOD_RULE = "address_total"


def ip_rules(site: KnownSite, prefix: str) -> list[Rule]:
    """The one rule that a submission costs which turns out to be unreadable or invalid."""
    limit = site.policy.limit("ip")
    return [Rule("ip", limit, f"{site.id}:{prefix}")] if limit else []


def all_rules(site: KnownSite, prefix: str, submission: Submission) -> list[Rule]:
    """Every rule that a valid submission is charged to, at once."""
    policy, folded = site.policy, submission.email.folded
    rules = ip_rules(site, prefix)
    if limit := policy.limit("address"):
        flood = Limit(limit.burst * FLOOD_FACTOR, limit.period_seconds)
        rules.append(Rule("address", limit, f"{site.id}:{folded}:{prefix}"))
        rules.append(Rule(FLOOD_RULE, flood, f"{site.id}:{folded}", soft=True))
    if limit := policy.limit("article"):
        rules.append(Rule("article", limit, f"{site.id}:{submission.article}"))
    if limit := policy.limit("site"):
        rules.append(Rule("site", limit, f"{site.id}"))
    return rules

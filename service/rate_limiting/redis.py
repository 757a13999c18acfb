"""The limiter that all processes share: each call is one script on Redis, which runs it alone."""

from collections.abc import Callable, Sequence
from itertools import islice

import msgspec

from service.rate_limiting.rules import Charge, Rule, Verdict, judge, subject_key
from service.redis.client import RedisClient

# The braces are a hash tag: on a cluster all keys of a call must lie on one node.
KEY_PREFIX = "{greenroom}:rate:"

# Redis's own clock is used because the machines that share the limits need not agree on the time.
# Numbers are written by %.0f because Lua's own conversion keeps 14 digits and a moment has 16.
SHARED_LUA = """
local function now_us()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function keep(key, empty_at)
  redis.call('SET', key, string.format('%.0f', empty_at),
             'PXAT', string.format('%.0f', math.ceil(empty_at / 1000)))
end
local now = now_us()
"""

# KEYS: those of every try, one try after the other. ARGV: the time or nothing; how many tries; how many
# keys each has; then for each key the cost of a try, the window and 'soft' or 'hard'.
# Answers the time, then for each key when its window would be empty after the try.
CHARGE_LUA = f"""{SHARED_LUA}
local answer, tries, first = {{now}}, tonumber(ARGV[2]), 1
local function charge(last)
  local kept, fitting, refused = redis.call('MGET', unpack(KEYS, first, last)), {{}}, false
  for i = first, last do
    local arg = 3 * i + tries
    local interval, window = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1])
    local start = math.min(math.max(tonumber(kept[i - first + 1] or 0), now), now + window)
    answer[i + 1] = start + interval
    fitting[i] = start + interval <= now + window
    refused = refused or (not fitting[i] and ARGV[arg + 2] == 'hard')
  end
  for i = first, last do
    if fitting[i] and not refused then keep(KEYS[i], answer[i + 1]) end
  end
end
for try = 1, tries do
  local last = first + tonumber(ARGV[try + 2]) - 1
  if last >= first then charge(last) end
  first = last + 1
end
return answer
"""

# ARGV: the time or nothing; then for each key the cost of the try and when it will have worn off.
REFUND_LUA = f"""{SHARED_LUA}
for i, key in ipairs(KEYS) do
  local kept = redis.call('GET', key)
  local left = math.min(tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]) - now)
  if kept and left > 0 then
    local empty_at = tonumber(kept) - left
    if empty_at > now then keep(key, empty_at) else redis.call('DEL', key) end
  end
end
"""


class RedisLimiter:
    """Counts tries on Redis (6.2 or newer), for every process that has the same secret.

    `now_us` replaces Redis's clock. What the client raises goes to the caller, the `Breaker`.
    """

    def __init__(self, client: RedisClient, secret: bytes, now_us: Callable[[], int] | None = None) -> None:
        self._client = client
        self._secret = secret
        self._now_us = now_us
        self._charge = client.register_script(CHARGE_LUA)
        self._refund = client.register_script(REFUND_LUA)

    async def charge(self, rules: Sequence[Rule]) -> Verdict:
        """Count one try under all rules or under none, in one round trip."""
        [verdict] = await self.charge_all([rules])
        return verdict

    async def charge_all(self, tries: Sequence[Sequence[Rule]]) -> list[Verdict]:
        """Count tries one after the other, each under all its rules or under none, in one round trip."""
        rules = [rule for rules in tries for rule in rules]
        if not rules:
            return [Verdict("redis") for _ in tries]
        keys = [KEY_PREFIX + subject_key(self._secret, rule) for rule in rules]
        args: list[str | int] = [self._time(), len(tries), *map(len, tries)]
        for rule in rules:
            args += rule.limit.interval_us, rule.limit.window_us, "soft" if rule.soft else "hard"
        now_us, *moments = msgspec.convert(await self._charge(keys, args), list[int])
        charges = iter(
            [
                Charge(key, rule.limit.interval_us, moment)
                for rule, key, moment in zip(rules, keys, moments, strict=True)
            ]
        )
        return [judge(rules, list(islice(charges, len(rules))), now_us, taken_by="redis") for rules in tries]

    async def refund(self, verdict: Verdict) -> None:
        """Give back what a verdict charged, in one round trip."""
        await self.refund_all([verdict])

    async def refund_all(self, verdicts: Sequence[Verdict]) -> None:
        """Give back what several verdicts charged, in one round trip."""
        charges = [charge for verdict in verdicts for charge in verdict.charges]
        args: list[str | int] = [self._time()]
        for charge in charges:
            args += charge.interval_us, charge.empty_at_us
        if charges:
            await self._refund([charge.key for charge in charges], args)

    def _time(self) -> str | int:
        return "" if self._now_us is None else self._now_us()

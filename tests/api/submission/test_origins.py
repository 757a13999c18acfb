"""Who may post from a browser: origins, and what a preflight tells."""

from tests.answers import problem_of
from tests.cast import PUBLIC_URL, SUBMIT, House

ALLOWED = ("https://blog.example", "https://www.blog.example")
EXPOSED = "ETag, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed"
FOREIGN = (
    "https://elsewhere.example",
    "http://blog.example",
    "https://blog.example:8443",
    "https://blog.example.evil.example",
    "https://BLOG.example",
    "https://blog.example/",
    "",
    "file://",
)


def words(value: str) -> set[str]:
    return {word.strip().lower() for word in value.split(",")}


async def test_an_absent_null_own_or_allowed_origin_is_taken(house: House) -> None:
    await house.submit()
    for origin in ("null", PUBLIC_URL, *ALLOWED):
        answer = await house.try_submit(headers={"origin": origin})
        assert answer.status_code == 202, origin


async def test_any_other_origin_is_403(house: House) -> None:
    for origin in FOREIGN:
        async with house.nothing_changes():
            answer = await house.try_submit(headers={"origin": origin})
        assert problem_of(answer, 403).type == "/problems/origin-not-allowed", origin
        assert "access-control-allow-origin" not in answer.headers


async def test_an_answer_names_an_allowed_origin_and_never_credentials(house: House) -> None:
    for origin in ALLOWED:
        taken = await house.try_submit(headers={"origin": origin})
        refused = await house.try_submit(headers={"origin": origin}, name="")
        elsewhere = await house.try_submit(headers={"origin": origin}, site="elsewhere")
        answers = (taken, refused, elsewhere)
        named = [answer.headers.get("access-control-allow-origin") for answer in answers]
        assert named == [origin, origin, None]
        for answer in answers:
            assert "origin" in words(answer.headers["vary"])
            assert "access-control-allow-credentials" not in answer.headers


async def test_the_form_is_readable_by_allowed_origins_alone(house: House) -> None:
    url = "/v1/sites/blog/form?article=/post"
    allowed = await house.dave.get(url, headers={"origin": ALLOWED[1]})
    foreign = await house.dave.get(url, headers={"origin": FOREIGN[0]})
    assert allowed.headers["access-control-allow-origin"] == ALLOWED[1]
    assert words(allowed.headers["access-control-expose-headers"]) == words(EXPOSED)
    assert foreign.status_code == 200
    assert "access-control-allow-origin" not in foreign.headers
    assert words(allowed.headers["vary"]) == words(foreign.headers["vary"]) == {"origin"}


async def test_a_preflight_echoes_an_allowed_origin(house: House) -> None:
    asked = {
        "origin": ALLOWED[0],
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type, idempotency-key",
    }
    answer = await house.dave.options(SUBMIT, headers=asked)
    assert answer.is_success
    assert answer.headers["access-control-allow-origin"] == ALLOWED[0]
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert words(answer.headers["access-control-allow-headers"]) == {
        "content-type",
        "idempotency-key",
    }
    assert words(answer.headers["access-control-expose-headers"]) == words(EXPOSED)
    assert "origin" in words(answer.headers["vary"])
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_preflight_names_no_other_origin(house: House) -> None:
    for origin in FOREIGN:
        asked = {"origin": origin, "access-control-request-method": "POST"}
        answer = await house.dave.options(SUBMIT, headers=asked)
        assert "access-control-allow-origin" not in answer.headers, origin
        assert "origin" in words(answer.headers["vary"])


async def test_moderators_have_no_cors(house: House) -> None:
    for origin in (*ALLOWED, FOREIGN[0]):
        headers = {"origin": origin}
        asked = await house.bob.options(
            "/v1/moderation/comments", headers={**headers, "access-control-request-method": "GET"}
        )
        read = await house.bob.get("/v1/moderation/comments", headers=headers)
        changed = await house.alice.patch("/v1/sites/blog", json={}, headers=headers)
        for answer in (asked, read, changed):
            assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_host_that_is_none_hides_no_foreign_origin(house: House) -> None:
    headers = {"host": "x:y", "origin": "https://evil.example"}
    answer = await house.try_submit(headers=headers)
    assert answer.status_code == 403

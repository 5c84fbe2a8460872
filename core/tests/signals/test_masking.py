"""No secret is logged, wherever it stands, and nothing else is lost."""

from __future__ import annotations

import string
from urllib.parse import quote

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty.people import KEY_PREFIX
from sixty.signals.masking import masking
from sixty.webhooks.signing import new_secret

MASK = masking()
URL_SAFE = string.ascii_letters + string.digits + "-_"
BASE64 = string.ascii_letters + string.digits + "+/"
around = st.text(st.characters(codec="utf-8"), max_size=30)
claims = st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers(), max_size=4)

keys = st.text(URL_SAFE, min_size=20, max_size=60).map(lambda secret: (KEY_PREFIX, secret))
webhook_secrets = st.text(BASE64, min_size=32, max_size=44).map(lambda secret: ("whsec_", secret))
bearers = st.text(URL_SAFE + ".~+/", min_size=8, max_size=60).map(lambda secret: ("Bearer ", secret))
tokens = claims.map(lambda content: ("", jwt.encode(content, "k" * 32, "HS256", headers={"kid": "1"})))
passwords = st.builds(
    lambda user, word: (f"postgresql+asyncpg://{quote(user, safe='')}:", f"{quote(word, safe='')}pass"),
    st.text(max_size=8),
    st.text(st.characters(codec="utf-8"), min_size=6, max_size=30),
)


@given(keys | webhook_secrets | bearers | tokens, around, around)
def test_a_secret_is_masked_whatever_stands_around_it(secret: tuple[str, str], before: str, after: str) -> None:
    what, kept = secret
    shown = MASK(f"{before} {what}{kept} {after}")
    assert f"{what}{kept}" not in shown
    assert f"{what}…" in shown


@given(passwords, around, around)
def test_a_password_in_a_url_is_masked_and_the_rest_is_not(secret: tuple[str, str], before: str, after: str) -> None:
    what, kept = secret
    assert f"{what}…@db.example:5432/crm" in MASK(f"{before} {what}{kept}@db.example:5432/crm {after}")


@given(keys | webhook_secrets | bearers | tokens, around)
def test_masking_twice_is_masking_once(secret: tuple[str, str], before: str) -> None:
    once = MASK(f"{before}{''.join(secret)}")
    assert MASK(once) == once


@given(keys | webhook_secrets | tokens)
def test_a_secret_is_masked_in_json_and_in_quotes(secret: tuple[str, str]) -> None:
    what, kept = secret
    for text in (f'{{"a": "{what}{kept}"}}', f"'{what}{kept}'", f"({what}{kept})", f"token={what}{kept}&next=1"):
        assert kept not in MASK(text)
        assert MASK(text)[-1] == text[-1]


def test_a_secret_that_was_just_made_is_masked() -> None:
    secret = new_secret()
    assert secret.removeprefix("whsec_") not in MASK(f"made {secret}")


@pytest.mark.parametrize(
    "text",
    [
        "MCP is served at http://127.0.0.1:8060/mcp",
        "https://example.com/a:b/c?d=e",
        "mail ada@example.com about keys, eyes and the bear",
        "create_deal: ok in 3.2 ms over http",
        "",
    ],
)
def test_what_is_no_secret_is_kept(text: str) -> None:
    assert MASK(text) == text


def test_a_secret_of_no_form_is_masked_if_it_is_known() -> None:
    mask = masking(["correct horse", "correct horse battery", "short"])
    assert mask("correct horse battery staple, not so short") == "… staple, not so short"

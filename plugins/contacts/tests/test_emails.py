"""What is an e-mail address, and whose domain it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty_contacts.emails import company_domain, parsed_domain, parsed_email


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Jane.Doe@Example.COM", "jane.doe@example.com"),
        (" jane@example.com\n", "jane@example.com"),
        ("jane+crm@mail.example.co.uk", "jane+crm@mail.example.co.uk"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("jane@BÜCHER.example", "jane@bücher.example"),
        ("jane@xn--bcher-kva.example", "jane@bücher.example"),
        ("用户@例子.广告", "用户@例子.广告"),
        ("jöSé@example.com", "jösé@example.com"),
        (f"{'x' * 64}@example.com", f"{'x' * 64}@example.com"),
    ],
)
def test_an_address_is_written_in_one_way(text: str, address: str) -> None:
    assert parsed_email(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "jane",
        "jane@",
        "@example.com",
        "jane@example",
        "jane@@example.com",
        "a@b@example.com",
        "jane doe@example.com",
        "jane@exa mple.com",
        ".jane@example.com",
        "jane.@example.com",
        "ja..ne@example.com",
        "jane@-example.com",
        "jane@example-.com",
        "jane@example..com",
        "jane@.example.com",
        "jane@127.0.0.1",
        "jane@[127.0.0.1]",
        "Jane <jane@example.com>",
        "jane@example.com, bob@example.com",
        "jane\x00@example.com",
        "jane\u202e@example.com",
        "🙂@example.com",
        "jane@🙂.\ud800",
        "jane@xn--\u00fc.example",
        f"{'x' * 65}@example.com",
        f"jane@{'x' * 64}.com",
        f"jane@{'x.' * 130}com",
        f"{'x' * 64}@{'y' * 63}.{'y' * 63}.{'y' * 63}.com",
        "jane@" + "ü" * 100_000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        parsed_email(text)


@given(st.text())
def test_an_address_is_its_own_and_anything_else_is_refused(text: str) -> None:
    try:
        address = parsed_email(text)
    except ValueError:
        return
    assert parsed_email(address) == address
    assert len(address) <= 254


@given(st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9]{1,20})?@[a-z0-9]{1,20}\.[a-z]{2,10}", fullmatch=True))
def test_case_and_space_around_do_not_tell_addresses_apart(address: str) -> None:
    assert parsed_email(f" {address.upper()} ") == parsed_email(address) == address


@pytest.mark.parametrize("text", ["example", "https://example.com", "example.com/", "a b.com", "example.com:80", "."])
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a domain such as"):
        parsed_domain(text)


@pytest.mark.parametrize(
    "email",
    [
        "a@gmail.com",
        "a@googlemail.com",
        "a@yahoo.co.uk",
        "a@yahoo.co.jp",
        "a@outlook.com.br",
        "a@hotmail.fr",
        "a@gmx.net",
        "a@web.de",
        "a@icloud.com",
        "a@proton.me",
        "a@qq.com",
        "a@163.com",
        "a@mail.ru",
        "a@orange.fr",
        "a@libero.it",
        "a@naver.com",
        "a@btinternet.com",
    ],
)
def test_a_domain_where_anybody_can_have_an_address_is_no_companys(email: str) -> None:
    assert company_domain(email) is None


@pytest.mark.parametrize("domain", ["acme.example", "gmail.acme.example", "mygmail.com", "bücher.example"])
def test_any_other_domain_is_a_companys(domain: str) -> None:
    assert company_domain(f"jane@{domain}") == domain

"""E-mail addresses, phones and the names of companies, by their rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty_contacts.emails import company_domain, parsed_domain, parsed_email
from sixty_contacts.names import beginning, name_key
from sixty_contacts.phones import comparable


@pytest.mark.parametrize(
    ("given_email", "kept"),
    [
        (" Jane.Doe+CRM@Example.COM ", "jane.doe+crm@example.com"),
        ("o'brien@sub.domain.example", "o'brien@sub.domain.example"),
        ("info@MÜNCHEN.example", "info@münchen.example"),
        ("info@xn--mnchen-3ya.example", "info@münchen.example"),
        ("用户@例子.example", "用户@例子.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_an_address_is_kept_in_lower_case(given_email: str, kept: str) -> None:
    assert parsed_email(given_email) == kept
    assert parsed_email(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a@",
        "@example.com",
        ".a@example.com",
        "a..b@example.com",
        "a@example",
        "a@-example.com",
        "a@exa mple.com",
        "a@example..com",
        "a@1.2.3.4",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a" * 64 + "@" + ".".join(["b" * 60] * 4),
        "a@xn--.example",
        "a@🙂🙂..example",
        "Ann <a@example.com>",
        "a@example.com\nbcc: b@example.com",
        '"a b"@example.com',
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        parsed_email(text)


@given(st.text(max_size=80), st.text(max_size=80))
def test_an_address_that_is_taken_is_taken_again_as_it_is(local: str, domain: str) -> None:
    try:
        kept = parsed_email(f"{local}@{domain}")
    except ValueError:
        return
    assert parsed_email(kept) == kept
    assert len(kept) <= 254


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "googlemail.com", "yahoo.de", "yahoo.com.br", "outlook.fr", "live.co.uk", "qq.com", "gmx.at"],
)
def test_free_mail_is_no_companys(domain: str) -> None:
    assert company_domain(f"a@{domain}") is None


@pytest.mark.parametrize("domain", ["acme.com", "mygmail.com", "live.acme.com", "yahoo-inc.com"])
def test_other_domains_are(domain: str) -> None:
    assert company_domain(f"a@{domain}") == domain


def test_a_domain_is_refused_by_its_own_rule() -> None:
    assert parsed_domain(" ACME.Example ") == "acme.example"
    with pytest.raises(ValueError, match="must be a domain such as"):
        parsed_domain("acme")


@pytest.mark.parametrize(
    ("spelt", "key"),
    [
        ("Müller & Söhne GmbH & Co. KG", "muller sohne"),
        ("Acme, Inc.", "acme"),
        ("ACME S.A.", "acme"),
        ("Acme S. à r.l.", "acme"),
        ("Acme Sp. z o.o.", "acme"),
        ("Acme (Holdings) Pty Ltd", "acme holdings"),
        ("I.B.M. Corp", "ibm"),
        ("AG", "ag"),
        ("Limited", "limited"),
        ("🙂  🙂", "🙂 🙂"),
        ("株式会社アクメ", name_key("株式会社アクメ")),
    ],
)
def test_spellings_of_one_name_have_one_key(spelt: str, key: str) -> None:
    assert name_key(spelt) == key
    assert name_key(spelt.upper()) == key


@given(st.text(min_size=1, max_size=255).filter(str.strip))
def test_every_name_has_a_key_that_fits(name: str) -> None:
    assert 0 < len(name_key(name)) <= 255
    assert name_key(name) == name_key(f"  {name} ")


def test_a_pattern_takes_nothing_for_a_wildcard() -> None:
    assert beginning("/%_") == "///%/_%"
    assert beginning("Acme Inc") == "acme%"


@pytest.mark.parametrize(
    ("phone", "country", "region", "compared"),
    [
        ("+49 30 901820", None, None, "+4930901820"),
        ("0049 30 901820", "DE", None, "+4930901820"),
        ("030/901820", "Germany", None, "+4930901820"),
        ("030 901820", "Allemagne", "US", "+4930901820"),
        ("030 901820", "Atlantis", "DE", "+4930901820"),
        ("030 901820", None, "DE", "+4930901820"),
        ("030 901820", None, None, None),
        ("12", "DE", None, None),
        ("+999 12345678", None, None, None),
        (None, "DE", "DE", None),
    ],
)
def test_phones_are_compared_in_the_country_they_are_in(
    phone: str | None, country: str | None, region: str | None, compared: str | None
) -> None:
    assert comparable(phone, country, region) == compared


@given(st.text(max_size=50), st.text(max_size=20))
def test_no_phone_is_too_strange(phone: str, country: str) -> None:
    found = comparable(phone, country, "US")
    assert found is None or found.startswith("+")

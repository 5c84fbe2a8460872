"""Where events may go: the server is nobody's way into a network that it alone can reach."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.errors import Invalid, Unavailable
from sixty.tables import jobs
from sixty.webhooks.addresses import address_of, target

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Names
    from receiving import Receiver

    from sixty.testing import Organisation

LOOPBACK = (ip_network("127.0.0.0/8"),)

INSIDE = [
    "127.0.0.1",
    "169.254.169.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - it is refused, not bound
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
    "2001::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
]
OUTSIDE = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_that_leads_inside_is_refused_without_saying_where(names: Names, address: str) -> None:
    names.answers["hooks.example"] = [address]
    with pytest.raises(Invalid, match="SIXTY_WEBHOOK_NETWORKS") as refused:
        await address_of(target("https://hooks.example/"), ())
    assert address not in str(refused.value.to_json())


@pytest.mark.parametrize("address", OUTSIDE)
async def test_a_name_that_leads_outside_is_accepted(names: Names, address: str) -> None:
    names.answers["hooks.example"] = [address]
    assert await address_of(target("https://hooks.example/"), ()) == ip_address(address)


async def test_one_address_inside_is_enough_to_refuse_a_name(names: Names) -> None:
    names.answers["hooks.example"] = ["8.8.8.8 127.0.0.1"]
    with pytest.raises(Invalid, match="SIXTY_WEBHOOK_NETWORKS"):
        await address_of(target("https://hooks.example/"), ())


async def test_http_is_for_networks_that_the_settings_name(names: Names) -> None:
    names.answers["hooks.example"] = ["8.8.8.8"]
    with pytest.raises(Invalid, match="by https"):
        await address_of(target("http://hooks.example/"), LOOPBACK)
    assert await address_of(target("http://127.1.2.3/"), LOOPBACK) == ip_address("127.1.2.3")
    names.answers["mapped.example"] = ["::ffff:127.0.0.1"]
    assert await address_of(target("http://mapped.example/"), LOOPBACK) == ip_address("::ffff:127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "017700000001"])
async def test_an_address_is_judged_however_it_is_spelt(host: str) -> None:
    with pytest.raises((Invalid, Unavailable)):
        await address_of(target(f"https://{host}/"), ())


async def test_a_name_without_an_address_may_have_one_later() -> None:
    with pytest.raises(Unavailable, match=r"nowhere\.invalid cannot be resolved"):
        await address_of(target("https://nowhere.invalid/"), ())


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://Hooks.Example", "hooks.example", "/"),
        ("https://hooks.example:443/a?b=c#d", "hooks.example", "/a?b=c"),
        ("https://hooks.example.:8443?x", "hooks.example:8443", "/?x"),
        ("http://[::1]:80/a", "[::1]", "/a"),
        ("https://bücher.example/", "xn--bcher-kva.example", "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, authority: str, path: str) -> None:
    assert (target(url).authority, target(url).path) == (authority, path)


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    assert target("https://hooks.example/a?b").at(ip_address("8.8.8.8")) == "https://8.8.8.8:443/a?b"
    assert target("http://hooks.example:81").at(ip_address("::1")) == "http://[::1]:81/"


async def test_a_name_is_looked_up_once_for_each_try_and_its_address_kept_for_the_connection(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, names: Names
) -> None:
    port = receiver.url.split(":")[2]
    names.answers["hooks.example"] = ["127.0.0.1", "127.0.0.1", "169.254.169.254"]
    await (await api("user")).post(url=f"http://hooks.example:{port}", events=["*"])
    assert len(names.asked) == 1
    await sixty.as_role("user").call("add_note", text="Budget")
    await sixty.work()
    assert receiver.texts == ["Budget"]  # it went where the second lookup said; a third would have led elsewhere
    assert len(names.asked) == 2
    assert receiver.requests[0].headers["host"] == f"hooks.example:{port.removesuffix('/hook')}"


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "10.0.0.1"])
async def test_a_name_that_leads_inside_later_is_not_connected_to(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, names: Names, address: str
) -> None:
    port = receiver.url.split(":")[2]
    names.answers["hooks.example"] = ["127.0.0.1", address, "127.0.0.1"]
    await (await api("user")).post(url=f"http://hooks.example:{port}", events=["*"])
    await sixty.as_role("user").call("add_note", text="Budget")
    await sixty.work()
    assert receiver.requests == []
    (job,) = await sixty.rows(sa.select(jobs.c.state, jobs.c.error).where(jobs.c.name == "core.deliver"))
    assert job["state"] == "waiting"
    assert "does not lead to a public address" in job["error"]
    assert address not in job["error"]

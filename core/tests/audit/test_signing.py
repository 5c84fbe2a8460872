"""What is signed comes back from both databases as it was signed, whatever it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty.audit import AuditTrail, Entry
from sixty.audit.signing import CONTENT, Signer, is_erased
from sixty.ids import new_id
from sixty.storage.database import open_database
from sixty.tables import audit
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRY = Entry(
    call_id=new_id(),
    at=MORNING,
    user_id=new_id(),
    tool="add_note",
    effect="create",
    outcome="ok",
    message="Added",
    arguments={},
    records={},
    transport="http",
    client="an agent",
    address="127.0.0.1",
    microseconds=17,
)
LAST = sa.select(audit).order_by(audit.c.seq.desc()).limit(1)

text = st.text(st.characters(exclude_categories=()), max_size=20)
numbers = st.one_of(
    st.integers(), st.floats(), st.sampled_from([1.0, 1e22, -0.0, 1e16, 123456789012345680.0, 5e-324, 2**63, -(2**63)])
)
json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, text),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
)


@pytest.fixture
def told(database_url: str) -> Iterator[Any]:
    """Writes a line and gives it back as the database has it."""
    loop = asyncio.new_event_loop()
    database = loop.run_until_complete(open_database(database_url))
    trail = AuditTrail(database)
    trail.signer = Signer([b"k" * 32])

    async def there_and_back(entry: Entry) -> tuple[Signer, dict[str, Any]]:
        await database.apply([trail.write(entry)])
        assert trail.signer is not None
        return trail.signer, (await database.rows(LAST))[0]

    yield lambda entry: loop.run_until_complete(there_and_back(entry))
    loop.run_until_complete(database.close())
    loop.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=json_like, message=st.none() | text, client=st.none() | text)
def test_whatever_was_signed_is_known_again(told: Any, arguments: Any, message: str | None, client: str | None) -> None:
    signer, row = told(replace(ENTRY, arguments={"given": arguments}, message=message, client=client))
    assert signer.signer_of(row) == 0


def test_a_line_without_its_content_is_known_again_and_one_with_half_of_it_is_not(told: Any) -> None:
    signer, row = told(replace(ENTRY, arguments={"email": "ann@example.com"}))
    emptied = {**row, **dict.fromkeys(CONTENT), "salt": None}
    assert is_erased(emptied)
    assert signer.signer_of(emptied) == 0
    assert signer.signer_of({**emptied, "message": "another"}) is None
    assert signer.signer_of({**emptied, "outcome": "forbidden"}) is None
    assert signer.signer_of({**row, "salt": None}) is None


def test_the_same_content_never_has_the_same_digest(told: Any) -> None:
    assert told(ENTRY)[1]["digest"] != told(ENTRY)[1]["digest"]


def test_another_key_knows_nothing(told: Any) -> None:
    _, row = told(ENTRY)
    assert Signer([b"o" * 32]).signer_of(row) is None
    assert Signer([b"o" * 32, b"k" * 32]).signer_of(row) == 1

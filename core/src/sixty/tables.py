"""The core's own tables: people, what they may do, the spine of records, what has happened, packs, jobs, webhooks."""

from __future__ import annotations

import sqlalchemy as sa

from sixty.storage.columns import Id, Instant, Json

__all__ = [
    "api_keys",
    "audit",
    "changes",
    "grants",
    "idempotency",
    "imported",
    "jobs",
    "metadata",
    "packs",
    "pointers",
    "records",
    "search",
    "secrets",
    "state",
    "teams",
    "users",
    "webhooks",
]

metadata = sa.MetaData()

state = sa.Table(
    "state",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"""Counters that every process watches; `counters.py` has their names."""

teams = sa.Table(
    "teams",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("email", sa.String(320), nullable=False, unique=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("team_id", Id, sa.ForeignKey("teams.id"), index=True),
    sa.Column("subject", sa.String(255), unique=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("disabled_at", Instant),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("permission", sa.String(120), primary_key=True),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
)

records = sa.Table(
    "records",
    metadata,
    sa.Column("rid", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("owner_id", Id, sa.ForeignKey("users.id")),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("deleted_at", Instant),
    sa.Column("merged_into", Id, sa.ForeignKey("records.id")),
)
"""The spine. A row stays for ever; `deleted_at` hides it, `merged_into` leads on."""

pointers = sa.Table(
    "pointers",
    metadata,
    sa.Column("table_name", sa.String(63), primary_key=True),
    sa.Column("column_name", sa.String(63), primary_key=True),
    sa.Column("pack", sa.String(40), nullable=False),
)
"""Every column that points at a record, those of packs that are not loaded too; kept by the migrations."""

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("call_id", Id, nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("record_id", Id, sa.ForeignKey("records.id"), nullable=False, index=True),
    sa.Column("table_name", sa.String(63), nullable=False),
    sa.Column("row_id", Id, nullable=False),
    sa.Column("op", sa.String(8), nullable=False),
    sa.Column("before", Json),
    sa.Column("after", Json),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", Id, sa.ForeignKey("users.id")),
    sa.Column("permission", sa.String(80)),
    sa.Column("cause", sa.String(80)),
)
"""What each call did to each row, in order of `position`: `before` and `after` hold the fields that differ."""

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("tool", sa.String(128), nullable=False),
    sa.Column("arguments", sa.String(64), nullable=False),
    sa.Column("result", Json, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("call_id", Id, nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("user_id", Id, index=True),
    sa.Column("tool", sa.String(128), nullable=False),
    sa.Column("effect", sa.String(8)),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("message", sa.Text),
    sa.Column("arguments", Json),
    sa.Column("records", Json),
    sa.Column("transport", sa.String(20), nullable=False),
    sa.Column("client", sa.String(255)),
    sa.Column("address", sa.String(64)),
    sa.Column("microseconds", sa.BigInteger, nullable=False),
)

search = sa.Table(
    "search",
    metadata,
    sa.Column("rid", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("record_id", Id, sa.ForeignKey("records.id"), nullable=False, unique=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""The searchable words of each live record, folded. The database itself keeps the full-text index beside it."""

claims = sa.Table(
    "claims",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)
"""How often something was decided on, by a hash of what."""

imported = sa.Table(
    "imported",
    metadata,
    sa.Column("form", sa.String(40), primary_key=True),
    sa.Column("source", sa.String(120), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("record_id", Id, sa.ForeignKey("records.id"), nullable=False),
    sa.Column("digest", sa.String(32), nullable=False),
)
"""Which record a line of a file became, by its key in the source, and a hash of what the line said."""

packs = sa.Table(
    "packs",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("accepted", Json),
    sa.Column("at", Instant, nullable=False),
)
"""Every pack that an operator has decided on or that was once loaded, and the terms that it was accepted with."""

secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", Id, nullable=False, unique=True),
    sa.Column("name", sa.String(160), nullable=False),
    sa.Column("queue", sa.String(160), nullable=False),
    sa.Column("lane", sa.String(255)),
    sa.Column("key", sa.String(255)),
    sa.Column("payload", Json, nullable=False),
    sa.Column("user_id", Id),
    sa.Column("call_id", Id),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("leased_by", Id),
    sa.Column("leased_until", Instant),
    sa.Column("error", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("traceparent", sa.String(55)),
    *(
        sa.Index(f"ix_jobs_{name}", *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
        for name, columns, where in (
            ("waiting", ("queue", "due_at", "seq"), "state = 'waiting'"),
            ("running", ("lane", "leased_until"), "state = 'running'"),
            ("failed", ("queue", "seq"), "state = 'failed'"),
            ("lane", ("lane", "seq"), "lane IS NOT NULL AND finished_at IS NULL"),
        )
    ),
)
"""What is to be done later, and what became of it. A row is written in the transaction of what causes it.

`state` is waiting, running, done, failed or cancelled; `finished_at` is set in the last three. `traceparent` is the
trace in which it was left, if it was traced.
"""

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("url", sa.String(2000), nullable=False),
    sa.Column("events", Json, nullable=False),
    sa.Column("description", sa.String(255)),
    sa.Column("secret", sa.String(100), nullable=False),
    sa.Column("previous_secret", sa.String(100)),
    sa.Column("previous_until", Instant),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("disabled_reason", sa.Text),
    sa.Column("disabled_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)
"""Who is told of which events, and where. The secrets sign, so they are kept as they are; nothing shows them."""

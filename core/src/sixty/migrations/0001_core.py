"""The core's tables, and the full-text index that each database keeps by itself."""

import sqlalchemy as sa
from alembic import op

from sixty.storage.columns import Id, Instant, Json

revision = "0001_core"
down_revision = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_TABLES = (
    "search",
    "audit",
    "idempotency",
    "changes",
    "pointers",
    "records",
    "api_keys",
    "grants",
    "users",
    "teams",
    "state",
)


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "state",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.execute(sa.text("INSERT INTO state (name, value) VALUES ('identity', 0)"))
    op.create_table(
        "teams",
        sa.Column("id", Id, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False, unique=True),
    )
    op.create_table(
        "users",
        sa.Column("id", Id, primary_key=True),
        sa.Column("email", sa.String(320), nullable=False, unique=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("team_id", Id, sa.ForeignKey("teams.id"), index=True),
        sa.Column("subject", sa.String(255), unique=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("disabled_at", Instant),
    )
    op.create_table(
        "grants",
        sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("permission", sa.String(120), primary_key=True),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", Id, primary_key=True),
        sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant),
    )
    op.create_table(
        "records",
        sa.Column("rid", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("id", Id, nullable=False, unique=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("owner_id", Id, sa.ForeignKey("users.id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("deleted_at", Instant),
        sa.Column("merged_into", Id, sa.ForeignKey("records.id")),
    )
    op.create_table(
        "pointers",
        sa.Column("table_name", sa.String(63), primary_key=True),
        sa.Column("column_name", sa.String(63), primary_key=True),
        sa.Column("pack", sa.String(40), nullable=False),
    )
    op.create_table(
        "changes",
        sa.Column("seq", _COUNTER, primary_key=True, autoincrement=True),
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
    op.create_table(
        "idempotency",
        sa.Column("user_id", Id, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("tool", sa.String(128), nullable=False),
        sa.Column("arguments", sa.String(64), nullable=False),
        sa.Column("result", Json, nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("seq", _COUNTER, primary_key=True, autoincrement=True),
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
    op.create_table(
        "search",
        sa.Column("rid", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("record_id", Id, sa.ForeignKey("records.id"), nullable=False, unique=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    for statement in _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Take everything away."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(sa.text("DROP TABLE search_index"))
    for table in _TABLES:
        op.drop_table(table)


_POSTGRES = (
    # weights as in SQLite's bm25 of search.py: a word in the title counts more than one in the body
    (
        "ALTER TABLE search ADD COLUMN document tsvector GENERATED ALWAYS AS"
        " (setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', body), 'D')) STORED"
    ),
    # fastupdate would save work on insert and pay for it all at once now and then
    "CREATE INDEX ix_search_document ON search USING gin (document) WITH (fastupdate = off)",
)

_SQLITE = (
    (
        "CREATE VIRTUAL TABLE search_index USING fts5"
        "(kind, title, body, content='search', content_rowid='rid',"
        " tokenize='unicode61 remove_diacritics 0', prefix='3')"
    ),
    (
        "CREATE TRIGGER search_added AFTER INSERT ON search BEGIN"
        " INSERT INTO search_index(rowid, kind, title, body) VALUES (new.rid, new.kind, new.title, new.body); END"
    ),
    (
        "CREATE TRIGGER search_removed AFTER DELETE ON search BEGIN"
        " INSERT INTO search_index(search_index, rowid, kind, title, body)"
        " VALUES ('delete', old.rid, old.kind, old.title, old.body); END"
    ),
    (
        "CREATE TRIGGER search_changed AFTER UPDATE ON search BEGIN"
        " INSERT INTO search_index(search_index, rowid, kind, title, body)"
        " VALUES ('delete', old.rid, old.kind, old.title, old.body);"
        " INSERT INTO search_index(rowid, kind, title, body) VALUES (new.rid, new.kind, new.title, new.body); END"
    ),
)

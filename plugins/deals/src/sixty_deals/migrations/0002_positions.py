"""Where each deal is, and how it got there, beside it; and deals without a company."""

import sqlalchemy as sa
from alembic import op

from sixty import Id, Instant

revision = "0002_positions"
down_revision = "0001_deals"

_deals = sa.table("deals", sa.column("id", Id), sa.column("stage_entered_at", Instant), sa.column("path", sa.String))
_stays = sa.table(
    "deal_stages", sa.column("deal_id", Id), sa.column("stage", sa.String), sa.column("entered_at", Instant)
)
_MANY = 5_000


def upgrade() -> None:
    with op.batch_alter_table("deals") as table:
        table.add_column(sa.Column("stage_entered_at", Instant))
        table.add_column(sa.Column("path", sa.String(120)))
        table.alter_column("company_name", existing_type=sa.String(255), nullable=True)
    _fill()
    with op.batch_alter_table("deals") as table:
        table.alter_column("stage_entered_at", existing_type=Instant, nullable=False)
        table.alter_column("path", existing_type=sa.String(120), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("deals") as table:
        table.drop_column("path")
        table.drop_column("stage_entered_at")


def _fill() -> None:
    """Every deal is where its stays say that it is."""
    connection = op.get_bind()
    stays = sa.select(_stays).order_by(_stays.c.deal_id, _stays.c.entered_at)
    by_deal: dict[str, list[sa.Row]] = {}
    for stay in connection.execute(stays):
        by_deal.setdefault(stay.deal_id, []).append(stay)
    put = (
        sa.update(_deals)
        .where(_deals.c.id == sa.bindparam("key", type_=Id))
        .values(stage_entered_at=sa.bindparam("since", type_=Instant), path=sa.bindparam("stages"))
    )
    rows = [
        {"key": deal, "since": entered[-1].entered_at, "stages": _path([stay.stage for stay in entered])}
        for deal, entered in by_deal.items()
    ]
    for start in range(0, len(rows), _MANY):
        connection.execute(put, rows[start : start + _MANY])


def _path(stages: list[str]) -> str:
    """As in `rules.path_of` at the time: of each stage the first and the last time."""
    return " ".join(
        stage for place, stage in enumerate(stages) if stage not in stages[:place] or stage not in stages[place + 1 :]
    )

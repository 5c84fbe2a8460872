"""What an operator sees of the pipeline."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families

from sixty.signals.exposition import Metrics

if TYPE_CHECKING:
    from sixty.testing import Organisation


async def samples(metrics: Metrics) -> dict[str, float]:
    """What is shown of deals, by name and stage."""
    _, body = await metrics.shown("")
    families = text_string_to_metric_families(body.decode())
    found = [sample for family in families if family.name.startswith("crm_") for sample in family.samples]
    return {" ".join((it.name, *it.labels.values())): it.value for it in found}


async def test_what_comes_in_is_counted_and_what_is_open_is_summed_up_by_stage(
    sixty: Organisation, acme: dict[str, Any]
) -> None:
    metrics = Metrics(sixty.host)
    async with metrics.counting():
        user, admin = sixty.as_role("user"), sixty.as_role("admin")
        await user.call("create_deal", **acme, value=250.50)
        await admin.call("create_deal", **acme, value=5_000)
        await admin.call("create_deal", **acme, monthly_mrr=100, one_off_revenue=50, stage="verbal")
        await user.call("create_deal", **acme)
        await user.call("create_deal", **acme, value=10_000, stage="signed")
        found = await samples(metrics)
        assert found["crm_deals_created_total"] == 5
        assert (found["crm_deal_value_dollars_count"], found["crm_deal_value_dollars_sum"]) == (4, 15_600.5)
        assert found["crm_deal_value_dollars_bucket 1000.0"] == 2
        stages = ("sql", "opportunity", "verbal", "signed")
        assert [found[f"crm_open_deals {stage}"] for stage in stages] == [3, 0, 1, 0]
        assert [found[f"crm_open_pipeline_dollars {stage}"] for stage in stages] == [5_250.5, 0, 350, 0]


async def test_a_deal_that_is_refused_is_not_counted(sixty: Organisation, acme: dict[str, Any]) -> None:
    metrics = Metrics(sixty.host)
    async with metrics.counting():
        await sixty.as_role("user").outcome("create_deal", **acme, value=-1)
        await sixty.as_role("user").outcome("create_deal", **acme, monthly_mrr=100)
        assert (await samples(metrics))["crm_deals_created_total"] == 0


async def test_a_deal_that_is_closed_is_open_no_more(sixty: Organisation, acme: dict[str, Any]) -> None:
    metrics = Metrics(sixty.host)
    async with metrics.counting():
        admin = sixty.as_role("admin")
        deal_id = (await admin.call("create_deal", **acme, value=100))["deal_id"]
        assert (await samples(metrics))["crm_open_pipeline_dollars sql"] == 100
        await admin.call("update_deal", deal_id=deal_id, updates={"status": "lost"})
        sixty.clock.advance(timedelta(seconds=15))
        found = await samples(metrics)
        assert (found["crm_open_pipeline_dollars sql"], found["crm_open_deals sql"]) == (0, 0)

async def test_smoke(sixty, acme):
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme, value=50000, stage="opportunity", expected_close_date="+3_days")
    print(made)
    i = made["deal_id"]
    print(await user.call("move_deal_stage", deal_id=i, stage="verbal", reason="x"))
    print(await user.call("search_deals", query="enterp"))
    print(await user.call("search_deals", min_value=5, sort="-value", date_range={"start": "today"}, date_field="created_at"))
    print(await user.call("forecast_revenue", period="quarter"))
    print(await sixty.as_role("admin").call("split_deal_revenue", deal_id=i, monthly_mrr=10, one_off_revenue=5.5))
    print(await user.call("get_deal_history", deal_id=i))
    print(await user.outcome("delete_deal", deal_id=i))
    print(await sixty.as_role("admin").outcome("delete_deal", deal_id=i))

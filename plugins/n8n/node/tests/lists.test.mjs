import assert from 'node:assert/strict';
import { test } from 'node:test';

import { itemsOf } from '../dist/nodes/SixtyCrm/items.js';
import { pagesOf } from '../dist/nodes/SixtyCrm/lists.js';
import { OPERATIONS } from '../dist/nodes/SixtyCrm/operations.js';

const operation = (name) => OPERATIONS.find((known) => known.operation === name);

/** A server with so many deals, and the pages that it was asked for. */
function listing(total) {
	const asked = [];
	const call = async ({ limit, cursor }) => {
		asked.push(limit);
		const start = Number(cursor ?? 0);
		const deals = Array.from({ length: Math.min(limit, total - start) }, (_, place) => ({ id: start + place }));
		const next = start + deals.length;
		return { success: true, count: deals.length, total, deals, ...(next < total && { next_cursor: String(next) }) };
	};
	return { call, asked };
}

test('everything is fetched page by page', async () => {
	const { call, asked } = listing(450);
	const pages = await pagesOf(operation('searchDeals'), Infinity, call);
	const items = pages.flatMap((page) => itemsOf(operation('searchDeals'), page, true));
	assert.deepEqual(
		items.map(({ id }) => id),
		Array.from({ length: 450 }, (_, place) => place),
	);
	assert.deepEqual(asked, [200, 200, 200]);
});

test('a limit is one page if it can be, and never more than it says', async () => {
	for (const [limit, pages] of [
		[1, [1]],
		[50, [50]],
		[200, [200]],
		[250, [200, 50]],
		[500, [200, 200, 100]],
	]) {
		const { call, asked } = listing(450);
		const found = (await pagesOf(operation('searchDeals'), limit, call)).flatMap(({ deals }) => deals);
		assert.equal(found.length, Math.min(limit, 450));
		assert.deepEqual(asked, pages);
	}
});

test('a list that finds nothing gives no item', async () => {
	const { call } = listing(0);
	const pages = await pagesOf(operation('searchDeals'), 50, call);
	assert.deepEqual(
		pages.flatMap((page) => itemsOf(operation('searchDeals'), page, true)),
		[],
	);
});

test('a write gives its record', () => {
	const answer = { success: true, message: 'ok', change_id: 'x', deal_id: 'd1', deal: { id: 'd1' } };
	assert.deepEqual(itemsOf(operation('createDeal'), answer, true), [{ id: 'd1' }]);
	assert.deepEqual(itemsOf(operation('createDeal'), answer, false), [answer]);
});

test('a call for many gives an item for each', () => {
	const results = [
		{ success: true, id: 'a1' },
		{ success: false, error: { code: 'invalid' } },
	];
	const answer = { success: true, message: 'ok', total: 2, successful: 1, failed: 1, results };
	assert.deepEqual(itemsOf(operation('bulkScheduleActivities'), answer, true), results);
});

test('figures are all that they say, but for the small print', () => {
	const answer = { success: true, message: 'ok', forecast: 15000, deal_count: 1, definition: { timezone: 'UTC' } };
	assert.deepEqual(itemsOf(operation('forecastRevenue'), answer, true), [{ forecast: 15000, deal_count: 1 }]);
	assert.deepEqual(itemsOf(operation('forecastRevenue'), answer, false), [answer]);
});

test('another tool gives its answer, but for the small print', () => {
	const answer = { success: true, message: 'ok', results: [{ id: 'x' }] };
	assert.deepEqual(itemsOf(undefined, answer, true), [{ results: [{ id: 'x' }] }]);
	assert.deepEqual(itemsOf(undefined, answer, false), [answer]);
});

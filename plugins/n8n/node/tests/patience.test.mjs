import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Refusal } from '../dist/nodes/shared/errors.js';
import { patiently } from '../dist/nodes/shared/patience.js';

/** A call that is refused as often as there are seconds to wait, and the times that were waited. */
function refusing(...seconds) {
	const waited = [];
	const call = async () => {
		if (seconds.length === 0) return 'done';
		throw new Refusal('too fast', 'rate_limited', {}, 429, seconds.shift());
	};
	return { waited, call, wait: async (milliseconds) => waited.push(milliseconds) };
}

test('a call waits as long as it is told, each time', async () => {
	const { call, wait, waited } = refusing(3, 60);
	assert.equal(await patiently(call, wait), 'done');
	assert.deepEqual(waited, [3000, 60000]);
});

test('a call that would have to wait for long is not made again', async () => {
	const { call, wait, waited } = refusing(61);
	await assert.rejects(patiently(call, wait), { code: 'rate_limited', retryAfter: 61 });
	assert.deepEqual(waited, []);
});

test('a call that is refused again and again is given up', async () => {
	const { call, wait, waited } = refusing(1, 1, 1, 1, 1);
	await assert.rejects(patiently(call, wait), { code: 'rate_limited' });
	assert.deepEqual(waited, [1000, 1000, 1000]);
});

test('what is refused for another reason is not tried again', async () => {
	const { call, wait, waited } = refusing(undefined);
	await assert.rejects(patiently(call, wait), { code: 'rate_limited' });
	assert.deepEqual(waited, []);
});

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { SixtyCrmTrigger } from '../dist/nodes/SixtyCrmTrigger/SixtyCrmTrigger.node.js';
import { activating, NodeApiError, receiving } from './n8n.mjs';
import { json, serving } from './server.mjs';

const node = new SixtyCrmTrigger();
const { checkExists, create, delete: remove } = node.webhookMethods.default;
const HERE = 'http://n8n.example/webhook/8c1f/webhook';
const WANTED = { events: ['deal.stage_changed'], toStages: ['opportunity'] };

/** A server with subscriptions, as its HTTP API has them. */
async function subscribable(...webhooks) {
	const server = await serving(({ method, url, body }, response) => {
		const id = url.split('/')[2];
		const known = webhooks.find((webhook) => webhook.id === id);
		if (id === undefined && method === 'GET') return json(response, 200, { success: true, webhooks });
		if (id === undefined) {
			const webhook = { id: `w${webhooks.length + 1}`, state: 'active', url: body.url, events: body.events };
			webhooks.push(webhook);
			return json(response, 201, { success: true, ...webhook, secret: body.secret });
		}
		if (known === undefined)
			return json(response, 404, { success: false, error: { code: 'not_found', message: 'no such webhook' } });
		if (method === 'PATCH') Object.assign(known, body);
		if (method === 'DELETE') webhooks.splice(webhooks.indexOf(known), 1);
		return json(response, 200, { success: true, ...known });
	});
	return Object.assign(server, { webhooks });
}

test('a workflow that is activated subscribes with a secret of its own', async () => {
	await using server = await subscribable();
	const remembered = {};
	const context = activating(server, WANTED, remembered, HERE);
	assert.equal(await checkExists.call(context), false);
	assert.equal(await create.call(context), true);
	assert.deepEqual(server.webhooks, [{ id: 'w1', state: 'active', url: HERE, events: WANTED.events }]);
	assert.equal(remembered.id, 'w1');
	assert.match(remembered.secret, /^whsec_/);
	assert.equal(Buffer.from(remembered.secret.slice(6), 'base64').length, 32);
	assert.equal(server.asked.at(-1).body.secret, remembered.secret);
	assert.equal(await checkExists.call(context), true);
});

test('no two subscriptions share a secret', async () => {
	await using server = await subscribable();
	const [one, other] = [{}, {}];
	await create.call(activating(server, WANTED, one, HERE));
	await create.call(activating(server, WANTED, other, HERE));
	assert.notEqual(one.secret, other.secret);
});

test('a workflow that is deactivated unsubscribes and forgets its secret', async () => {
	await using server = await subscribable();
	const remembered = {};
	await create.call(activating(server, WANTED, remembered, HERE));
	assert.equal(await remove.call(activating(server, WANTED, remembered, HERE)), true);
	assert.deepEqual(server.webhooks, []);
	assert.deepEqual(remembered, {});
});

test('a subscription that is gone already can be removed', async () => {
	await using server = await subscribable();
	assert.equal(await remove.call(activating(server, WANTED, { id: 'w9', secret: 'whsec_x' }, HERE)), true);
});

test('a subscription that was given up, or asks for other events, is renewed', async () => {
	const stale = { id: 'w1', url: HERE, events: ['deal.won'], state: 'disabled' };
	await using server = await subscribable(stale);
	assert.equal(await checkExists.call(activating(server, WANTED, { id: 'w1', secret: 'whsec_x' }, HERE)), true);
	assert.deepEqual(stale, { id: 'w1', url: HERE, events: WANTED.events, state: 'active' });
});

test('a subscription whose secret is lost is removed, and one of another address is left alone', async () => {
	const elsewhere = { id: 'w2', url: 'http://n8n.example/webhook-test/8c1f/webhook', events: ['*'], state: 'active' };
	await using server = await subscribable({ id: 'w1', url: HERE, events: ['*'], state: 'active' }, elsewhere);
	assert.equal(await checkExists.call(activating(server, WANTED, {}, HERE)), false);
	assert.deepEqual(server.webhooks, [elsewhere]);
});

test('the address for tests has a subscription beside that of the address for good', async () => {
	const testing = HERE.replace('/webhook/', '/webhook-test/');
	await using server = await subscribable({ id: 'w1', url: HERE, events: ['*'], state: 'active' });
	const remembered = { id: 'w1', secret: 'whsec_x' };
	assert.equal(await checkExists.call(activating(server, WANTED, remembered, testing)), false);
	await create.call(activating(server, WANTED, remembered, testing));
	assert.deepEqual(
		server.webhooks.map(({ url }) => url),
		[HERE, testing],
	);
});

test('a server that refuses says why', async () => {
	const error = { code: 'invalid', message: 'url: http is only for SIXTY_WEBHOOK_NETWORKS' };
	await using server = await serving((request, response) => json(response, 422, { success: false, error }));
	await assert.rejects(create.call(activating(server, WANTED, {}, HERE)), (refusal) => {
		assert.ok(refusal instanceof NodeApiError);
		assert.equal(refusal.message, error.message);
		assert.equal(refusal.httpCode, 'invalid');
		return true;
	});
});

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const MOVED = {
	type: 'deal.stage_changed',
	timestamp: '2026-03-04T09:30:00Z',
	data: { record_id: 'd1', title: 'Größe', to_stage: 'opportunity' },
};

function message(event, secret = SECRET) {
	const body = JSON.stringify(event, null, 1);
	const seconds = Math.floor(Date.now() / 1000);
	const key = Buffer.from(secret.slice(6), 'base64');
	const signature = createHmac('sha256', key).update(`msg_1.${seconds}.${body}`).digest('base64');
	return {
		body,
		headers: { 'webhook-id': 'msg_1', 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` },
	};
}

test('a message that is signed starts the workflow with its event', async () => {
	const context = receiving(WANTED, { secret: SECRET }, message(MOVED));
	assert.deepEqual(await node.webhook.call(context), { workflowData: [[{ json: { id: 'msg_1', ...MOVED } }]] });
});

test('a message that is not to be believed is refused and starts nothing', async () => {
	const foreign = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
	const cases = [
		[{ secret: SECRET }, message(MOVED, foreign)],
		[{ secret: SECRET }, { ...message(MOVED), body: JSON.stringify(MOVED) }],
		[{ secret: SECRET }, { body: JSON.stringify(MOVED), headers: {} }],
		[{}, message(MOVED)],
	];
	for (const [remembered, received] of cases) {
		const context = receiving(WANTED, remembered, received);
		assert.deepEqual(await node.webhook.call(context), { noWebhookResponse: true });
		assert.equal(context.answered.status, 401);
	}
});

test('a move to another stage is taken, and starts nothing', async () => {
	const moved = { ...MOVED, data: { ...MOVED.data, to_stage: 'verbal' } };
	const context = receiving(WANTED, { secret: SECRET }, message(moved));
	assert.deepEqual(await node.webhook.call(context), { webhookResponse: { started: false } });
});

test('without stages every move starts the workflow, and stages do not matter to other events', async () => {
	const moved = receiving({ ...WANTED, toStages: [] }, { secret: SECRET }, message(MOVED));
	assert.equal((await node.webhook.call(moved)).workflowData.length, 1);
	const created = receiving(WANTED, { secret: SECRET }, message({ type: 'deal.created', data: { stage: 'sql' } }));
	assert.equal((await node.webhook.call(created)).workflowData.length, 1);
});

test('a test of the subscription is taken, and starts nothing', async () => {
	const context = receiving(WANTED, { secret: SECRET }, message({ type: 'webhook.test', data: {} }));
	assert.deepEqual(await node.webhook.call(context), { webhookResponse: { started: false } });
});

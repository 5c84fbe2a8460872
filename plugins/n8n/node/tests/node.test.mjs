import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SixtyCrm } from '../dist/nodes/SixtyCrm/SixtyCrm.node.js';
import { editing, executing, NodeApiError, NodeOperationError } from './n8n.mjs';
import { answered, given, json, serving } from './server.mjs';

const node = new SixtyCrm();
const CREATE = { resource: 'deal', operation: 'createDeal', title: 'Pilot', company_name: 'Acme', simplify: true };
const REFUSED = { success: false, error: { code: 'invalid', message: 'title is too long', field: 'title' } };

/** A server whose tools answer with what `tools[name]` gives for their arguments. */
const offering = (tools) =>
	serving((request, response) => {
		const { name, arguments: args } = request.body.params;
		const result = tools[name](args);
		json(response, 200, answered(request, given(result, result.success === false)));
	});

const keys = ({ asked }) => asked.map(({ body }) => body.params._meta['sixty/idempotency-key']);
const execute = async (...args) => (await node.execute.call(executing(...args)))[0];

test('each item is a call, and what comes out knows where it comes from', async () => {
	await using server = await offering({ create_deal: ({ title }) => ({ success: true, deal: { title } }) });
	assert.deepEqual(await execute(server, [CREATE, { ...CREATE, title: 'Rollout' }]), [
		{ json: { title: 'Pilot' }, pairedItem: { item: 0 } },
		{ json: { title: 'Rollout' }, pairedItem: { item: 1 } },
	]);
	assert.equal(server.asked[0].headers.authorization, 'Bearer sk60_test');
	assert.equal(server.asked[0].url, '/mcp');
});

test('a list gives an item for each record, from all pages', async () => {
	const search_deals = ({ cursor }) =>
		cursor
			? { success: true, deals: [{ id: 'd3' }] }
			: { success: true, deals: [{ id: 'd1' }, { id: 'd2' }], next_cursor: 'more' };
	await using server = await offering({ search_deals });
	const found = await execute(server, [
		{ resource: 'deal', operation: 'searchDeals', returnAll: true, simplify: true },
	]);
	assert.deepEqual(
		found.map(({ json: { id } }) => id),
		['d1', 'd2', 'd3'],
	);
	assert.deepEqual(keys(server), [undefined, undefined]);
});

test('a call that came too soon is made again, as the same call', async () => {
	const answers = [
		{ success: false, error: { code: 'rate_limited', message: 'too fast', retry_after: 0 } },
		{ success: true, deal: {} },
	];
	await using server = await offering({ create_deal: () => answers.shift() });
	assert.equal((await execute(server, [CREATE])).length, 1);
	assert.equal(new Set(keys(server)).size, 1);
	assert.equal(server.asked.length, 2);
});

test('a write has a key that is the same for each try, and another for each item, run and execution', async () => {
	await using server = await offering({ create_deal: () => ({ success: true, deal: {} }) });
	await execute(server, [CREATE, CREATE]);
	await execute(server, [CREATE, CREATE]);
	await execute(server, [CREATE], { run: 1 });
	await execute(server, [CREATE], { execution: '18' });
	const [first, second, ...others] = keys(server);
	assert.deepEqual(others.slice(0, 2), [first, second]);
	assert.equal(new Set(keys(server)).size, 4);
	assert.ok(keys(server).every((key) => key.length <= 255));
});

test('what a tool refuses is an error of the node, with the code and message of the server', async () => {
	await using server = await offering({ create_deal: () => REFUSED });
	await assert.rejects(execute(server, [CREATE]), (error) => {
		assert.ok(error instanceof NodeApiError);
		assert.equal(error.message, 'title is too long');
		assert.equal(error.httpCode, 'invalid');
		assert.equal(error.context.itemIndex, 0);
		return true;
	});
});

test('a workflow that goes on has the error as an item', async () => {
	const create_deal = ({ title }) => (title === 'Pilot' ? REFUSED : { success: true, deal: { title } });
	await using server = await offering({ create_deal });
	assert.deepEqual(await execute(server, [CREATE, { ...CREATE, title: 'Rollout' }], { continues: true }), [
		{ json: { error: { code: 'invalid', message: 'title is too long', field: 'title' } }, pairedItem: { item: 0 } },
		{ json: { title: 'Rollout' }, pairedItem: { item: 1 } },
	]);
});

test('a workflow that goes on has what could not be sent, and where nobody answered, as items, too', async () => {
	const server = await offering({});
	await server[Symbol.asyncDispose]();
	const bulk = { resource: 'activity', operation: 'bulkScheduleActivities', activities: '[' };
	const [refused, unheard] = await execute(server, [bulk, CREATE], { continues: true });
	assert.deepEqual(refused.json.error, { code: 'invalid', message: 'activities is no JSON array or object: [' });
	assert.deepEqual(Object.keys(unheard.json.error), ['code', 'message']);
});

test('what cannot be sent at all is an error of the node', async () => {
	await using server = await offering({});
	const bulk = { resource: 'activity', operation: 'bulkScheduleActivities', activities: '[' };
	await assert.rejects(
		execute(server, [bulk]),
		(error) => error instanceof NodeOperationError && /no JSON/.test(error.message),
	);
	await assert.rejects(execute(server, [{ ...CREATE, operation: 'sellDeal' }]), NodeOperationError);
});

test('a server that is away is an error of the node', async () => {
	const server = await offering({});
	await server[Symbol.asyncDispose]();
	await assert.rejects(execute(server, [CREATE]), NodeApiError);
});

test('another tool is called by its name, with what is mapped, and once', async () => {
	await using server = await offering({
		search_crm: ({ query }) => ({ success: true, message: 'ok', results: [{ title: query }] }),
	});
	const other = {
		resource: 'other',
		tool: { __rl: true, mode: 'list', value: 'search_crm' },
		toolArguments: { mappingMode: 'defineBelow', value: { query: 'acme' }, schema: [] },
		simplify: true,
	};
	assert.deepEqual(await execute(server, [other]), [
		{ json: { results: [{ title: 'acme' }] }, pairedItem: { item: 0 } },
	]);
	assert.notEqual(keys(server)[0], undefined);
});

test('deals and contacts are found by what is typed', async () => {
	await using server = await offering({
		search_deals: () => ({ deals: [{ id: 'd1', title: 'Pilot', company_name: 'Acme' }], next_cursor: 'more' }),
		search_contacts: () => ({
			contacts: [{ id: 'c1', first_name: 'Anna', last_name: 'Berg', email: 'a@acme.example' }],
		}),
	});
	const { searchDeals, searchContacts } = node.methods.listSearch;
	assert.deepEqual(await searchDeals.call(editing(server), ' pilot '), {
		results: [{ name: 'Pilot (Acme)', value: 'd1' }],
		paginationToken: 'more',
	});
	assert.deepEqual(server.asked[0].body.params.arguments, { limit: 50, query: 'pilot' });
	assert.deepEqual(await searchContacts.call(editing(server), '', 'more'), {
		results: [{ name: 'Anna Berg <a@acme.example>', value: 'c1' }],
		paginationToken: undefined,
	});
	assert.deepEqual(server.asked[1].body.params.arguments, { limit: 50, cursor: 'more' });
});

test('a list that cannot be filled says why', async () => {
	await using server = await offering({
		search_deals: () => ({ success: false, error: { code: 'forbidden', message: 'you may not' } }),
	});
	await assert.rejects(node.methods.listSearch.searchDeals.call(editing(server)), { message: 'you may not' });
});

const TOOLS = [
	{ name: 'create_deal', inputSchema: { type: 'object' } },
	{
		name: 'search_crm',
		inputSchema: {
			type: 'object',
			properties: {
				query: { type: 'string', maxLength: 255 },
				kinds: { type: 'array', items: { type: 'string' }, description: 'Such as deal or contact' },
				limit: { type: 'integer' },
				sort: { enum: ['best', 'newest'] },
				exact: { type: 'boolean' },
				between: { type: 'object', properties: { start: { type: 'string' } } },
				anything: {},
			},
			required: ['query'],
		},
	},
	{ name: 'run_workflow', inputSchema: { type: 'object' } },
];

const listing = () => serving((request, response) => json(response, 200, answered(request, { tools: TOOLS })));

test('tools that are no operations are offered as other tools', async () => {
	await using server = await listing();
	const { searchTools } = node.methods.listSearch;
	assert.deepEqual((await searchTools.call(editing(server))).results, [
		{ name: 'Run Workflow', value: 'run_workflow' },
		{ name: 'Search Crm', value: 'search_crm' },
	]);
	assert.deepEqual(
		(await searchTools.call(editing(server), 'search c')).results.map(({ value }) => value),
		['search_crm'],
	);
});

test('the fields of another tool are those of its schema', async () => {
	await using server = await listing();
	const { getToolArguments } = node.methods.resourceMapping;
	const { fields } = await getToolArguments.call(editing(server, { tool: { __rl: true, value: 'search_crm' } }));
	assert.deepEqual(
		fields.map(({ id, type, required }) => [id, type, required]),
		[
			['query', 'string', true],
			['kinds', 'array', false],
			['limit', 'number', false],
			['sort', 'options', false],
			['exact', 'boolean', false],
			['between', 'object', false],
			['anything', 'object', false],
		],
	);
	assert.deepEqual(
		fields[3].options.map(({ value }) => value),
		['best', 'newest'],
	);
	assert.match(fields[1].displayName, /Such as deal or contact/);
});

test('a tool that is not offered has no fields, and says so', async () => {
	await using server = await listing();
	const { getToolArguments } = node.methods.resourceMapping;
	const { fields, emptyFieldsNotice } = await getToolArguments.call(
		editing(server, { tool: { __rl: true, value: 'nope' } }),
	);
	assert.deepEqual(fields, []);
	assert.match(emptyFieldsNotice, /no tool nope/);
});

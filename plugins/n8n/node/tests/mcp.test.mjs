import assert from 'node:assert/strict';
import { test } from 'node:test';

import { callTool, listTools } from '../dist/nodes/shared/mcp.js';
import { answered, given, json, serving } from './server.mjs';

const DEAL = { success: true, message: 'Deal "Pilot" created', deal: { id: 'd1', title: 'Pilot' } };

test('a call is one request that stands for itself', async () => {
	await using server = await serving((request, response) => json(response, 200, answered(request, given(DEAL))));
	assert.deepEqual(await callTool(server.send, 'create_deal', { title: 'Pilot' }, 'n8n:1'), DEAL);

	const [{ method, url, headers, body }] = server.asked;
	assert.equal(`${method} ${url}`, 'POST /mcp');
	assert.equal(headers.accept, 'application/json, text/event-stream');
	assert.equal(headers['mcp-protocol-version'], '2026-07-28');
	assert.equal(headers['mcp-method'], 'tools/call');
	assert.equal(headers['mcp-name'], 'create_deal');
	assert.equal(headers['mcp-session-id'], undefined);
	assert.equal(body.method, 'tools/call');
	const { _meta: meta, ...params } = body.params;
	assert.deepEqual(params, { name: 'create_deal', arguments: { title: 'Pilot' } });
	assert.equal(meta['io.modelcontextprotocol/protocolVersion'], '2026-07-28');
	assert.equal(meta['io.modelcontextprotocol/clientInfo'].name, 'n8n-nodes-sixty-crm');
	assert.deepEqual(meta['io.modelcontextprotocol/clientCapabilities'], {});
	assert.equal(meta['sixty/idempotency-key'], 'n8n:1');
});

test('a call without an idempotency key sends none', async () => {
	await using server = await serving((request, response) => json(response, 200, answered(request, given(DEAL))));
	await callTool(server.send, 'search_deals', {});
	assert.equal('sixty/idempotency-key' in server.asked[0].body.params._meta, false);
});

for (const [newline, name] of [
	['\n', 'LF'],
	['\r\n', 'CR LF'],
]) {
	test(`an answer may be a stream of events, its lines ending in ${name}`, async () => {
		await using server = await serving((request, response) => {
			const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } };
			const lines = JSON.stringify(answered(request, given(DEAL)), null, 1).split('\n');
			response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
			response.write(
				`: ping${newline}${newline}event: message${newline}data: ${JSON.stringify(progress)}${newline}${newline}`,
			);
			response.end(lines.map((line) => `data: ${line}${newline}`).join('') + newline);
		});
		assert.deepEqual(await callTool(server.send, 'create_deal', {}), DEAL);
	});
}

test('what a tool refuses has its code, its message and its details', async () => {
	const error = { code: 'invalid', message: "unknown argument 'titel'; did you mean 'title'?", field: 'titel' };
	await using server = await serving((request, response) =>
		json(response, 200, answered(request, given({ success: false, error }, true))),
	);
	await assert.rejects(callTool(server.send, 'create_deal', { titel: 'x' }), {
		name: 'Refusal',
		code: 'invalid',
		message: error.message,
		details: { field: 'titel' },
		retryAfter: undefined,
	});
});

test('a tool that is called too fast says when to come back', async () => {
	const error = { code: 'rate_limited', message: 'too many calls', retry_after: 7 };
	await using server = await serving((request, response) =>
		json(response, 200, answered(request, given({ success: false, error }, true))),
	);
	await assert.rejects(callTool(server.send, 'search_deals', {}), { code: 'rate_limited', retryAfter: 7 });
});

test('a tool without a structured result gives its text', async () => {
	await using server = await serving((request, response) =>
		json(response, 200, answered(request, { content: [{ type: 'text', text: 'done' }], resultType: 'complete' })),
	);
	assert.deepEqual(await callTool(server.send, 'of_somebody_else', {}), { text: 'done' });
});

test('an error of a tool without a structure is its text', async () => {
	await using server = await serving((request, response) =>
		json(response, 200, answered(request, { content: [{ type: 'text', text: 'no' }], isError: true })),
	);
	await assert.rejects(callTool(server.send, 'of_somebody_else', {}), { code: 'tool_error', message: 'no' });
});

test('an unknown tool is an error of the protocol', async () => {
	await using server = await serving((request, response) =>
		json(response, 400, { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'there is no tool nope' } }),
	);
	await assert.rejects(callTool(server.send, 'nope', {}), {
		code: '-32602',
		message: 'there is no tool nope',
		httpStatus: 400,
	});
});

test('a refused key is said to be one', async () => {
	const data = { code: 'unauthenticated', message: 'the API key is not known' };
	await using server = await serving((request, response) =>
		json(response, 401, { jsonrpc: '2.0', id: null, error: { code: -32010, message: data.message, data } }),
	);
	await assert.rejects(callTool(server.send, 'search_deals', {}), {
		code: 'unauthenticated',
		message: data.message,
		httpStatus: 401,
	});
});

test('an address that is locked out says when to come back', async () => {
	const error = { code: -32012, message: 'too many failures', data: { code: 'rate_limited', retry_after: 30 } };
	await using server = await serving((request, response) =>
		json(response, 429, { jsonrpc: '2.0', id: null, error }, { 'retry-after': '31' }),
	);
	await assert.rejects(callTool(server.send, 'search_deals', {}), {
		code: 'rate_limited',
		httpStatus: 429,
		retryAfter: 31,
	});
});

test('a proxy that asks for patience by a date is understood', async () => {
	const at = new Date(Date.now() + 20_000).toUTCString();
	await using server = await serving((request, response) =>
		response.writeHead(503, { 'content-type': 'text/html', 'retry-after': at }).end('<h1>busy</h1>'),
	);
	await assert.rejects(callTool(server.send, 'search_deals', {}), (error) => {
		assert.equal(error.code, 'http_503');
		assert.ok(error.retryAfter > 15 && error.retryAfter <= 20, String(error.retryAfter));
		return true;
	});
});

test('an answer that is a page is shown by its beginning', async () => {
	await using server = await serving((request, response) =>
		response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to nginx!</html>'),
	);
	await assert.rejects(callTool(server.send, 'search_deals', {}), {
		code: 'bad_answer',
		message: /<html>Welcome to nginx!/,
	});
});

test('an address where nothing is makes one doubt the address', async () => {
	await using server = await serving((request, response) => response.writeHead(404).end('not here'));
	await assert.rejects(callTool(server.send, 'search_deals', {}), {
		code: 'http_404',
		message: /is the server address right\?/,
	});
});

test('JSON that is cut off is no answer', async () => {
	await using server = await serving((request, response) => {
		response.writeHead(200, { 'content-type': 'application/json' });
		response.end(JSON.stringify(answered(request, given(DEAL))).slice(0, -20));
	});
	await assert.rejects(callTool(server.send, 'create_deal', {}), { code: 'bad_answer' });
});

test('a stream that ends before its result is no answer, even if only the end of its event is missing', async () => {
	await using server = await serving((request, response) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.end(`data: ${JSON.stringify(answered(request, given(DEAL)))}\n`);
	});
	await assert.rejects(callTool(server.send, 'create_deal', {}), { code: 'bad_answer' });
});

test('a connection that breaks is an error', async () => {
	await using server = await serving((request, response) => {
		response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
		response.write('{"jsonrpc"', () => response.destroy());
	});
	await assert.rejects(callTool(server.send, 'create_deal', {}));
});

test('tools are listed to the last page', async () => {
	const pages = { first: { tools: [{ name: 'a' }], nextCursor: 'more' }, more: { tools: [{ name: 'b' }] } };
	await using server = await serving((request, response) =>
		json(response, 200, answered(request, pages[request.body.params.cursor ?? 'first'])),
	);
	assert.deepEqual(
		(await listTools(server.send)).map(({ name }) => name),
		['a', 'b'],
	);
	assert.equal(server.asked[0].headers['mcp-name'], undefined);
});

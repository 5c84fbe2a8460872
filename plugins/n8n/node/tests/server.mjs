import { createServer } from 'node:http';

/** A server on this machine that answers as `respond(request, response)` says, and a `send` that asks it. */
export async function serving(respond) {
	const asked = [];
	const server = createServer(async (request, response) => {
		let body = '';
		for await (const part of request) body += part;
		asked.push({ method: request.method, url: request.url, headers: request.headers, body: body && JSON.parse(body) });
		respond(asked.at(-1), response);
	});
	await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
	const { port } = server.address();
	const url = `http://127.0.0.1:${port}`;
	const send = async ({ method, path, headers, body }) => {
		const answer = await fetch(url + path, { method, headers, body });
		return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
	};
	return {
		send,
		url,
		asked,
		[Symbol.asyncDispose]: async () => {
			server.closeAllConnections();
			await new Promise((closed) => server.close(closed));
		},
	};
}

export function json(response, status, value, headers = {}) {
	response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** The JSON-RPC answer to a request. */
export const answered = (request, result) => ({ jsonrpc: '2.0', id: request.body.id, result });

/** What a tool gives, as the server encodes it. */
export const given = (structuredContent, isError = false) => ({
	content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
	structuredContent,
	isError,
	resultType: 'complete',
});

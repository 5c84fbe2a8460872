import { version } from '../../package.json';
import { Refusal } from './errors';
import { retryAfterOf, type HttpAnswer, type Send } from './http';
import { decodedObject } from './json';
import type { JsonSchema } from './schemas';

/** The era of the protocol in which each request stands for itself: no session is opened, none is left behind. */
const PROTOCOL = '2026-07-28';
const CLIENT = { name: 'n8n-nodes-sixty-crm', version };
const ID = 1;

export type Json = Record<string, unknown>;

/** A tool as the server lists it. */
export interface Tool {
	name: string;
	description?: string;
	inputSchema: JsonSchema;
}

interface Message {
	id?: unknown;
	result?: Json;
	error?: { code?: number; message?: string; data?: Json };
}

/**
 * The structured result of a tool.
 *
 * With an idempotency key, a write that is sent again is answered again and done once. Rejects with a `Refusal`.
 */
export async function callTool(send: Send, name: string, args: Json, idempotencyKey?: string): Promise<Json> {
	const meta = idempotencyKey === undefined ? {} : { 'sixty/idempotency-key': idempotencyKey };
	const result = await request(send, 'tools/call', { name, arguments: args }, meta);
	const texts = textsOf(result.content);
	const structured = result.structuredContent as Json | undefined;
	if (result.isError) throw refusedBy(structured?.error as Json | undefined, texts);
	return structured ?? { text: texts };
}

/** Every tool that the credential may call. Rejects with a `Refusal`. */
export async function listTools(send: Send): Promise<Tool[]> {
	const tools: Tool[] = [];
	let cursor: unknown;
	do {
		const page = await request(send, 'tools/list', cursor === undefined ? {} : { cursor });
		tools.push(...(page.tools as Tool[]));
		cursor = page.nextCursor;
	} while (cursor !== undefined && cursor !== null);
	return tools;
}

async function request(send: Send, method: string, params: Json, meta: Json = {}): Promise<Json> {
	const headers: Record<string, string> = {
		accept: 'application/json, text/event-stream',
		'content-type': 'application/json',
		'mcp-protocol-version': PROTOCOL,
		'mcp-method': method,
	};
	if (typeof params.name === 'string') headers['mcp-name'] = params.name;
	const about = {
		'io.modelcontextprotocol/protocolVersion': PROTOCOL,
		'io.modelcontextprotocol/clientInfo': CLIENT,
		'io.modelcontextprotocol/clientCapabilities': {},
	};
	const message = { jsonrpc: '2.0', id: ID, method, params: { ...params, _meta: { ...about, ...meta } } };
	return resultOf(await send({ method: 'POST', path: '/mcp', headers, body: JSON.stringify(message) }));
}

function resultOf(answer: HttpAnswer): Json {
	const message = messageOf(answer);
	if (message?.error) throw protocolRefusal(answer, message.error);
	if (message?.result && answer.status < 400) return message.result;
	if (answer.status >= 400) {
		const hint = answer.status === 404 ? '; is the server address right?' : '';
		const text = `The server answered with HTTP status ${answer.status}${hint}`;
		throw new Refusal(text, `http_${answer.status}`, {}, answer.status, retryAfterOf(answer));
	}
	const start = answer.body.trim().slice(0, 80);
	throw new Refusal(
		start === '' ? 'The answer of the server ends before its result' : `The answer is no whole MCP message: ${start}`,
		'bad_answer',
		{},
		answer.status,
	);
}

/** The answer to our request: a JSON object, or the last word of a stream of events. */
function messageOf({ headers, body }: HttpAnswer): Message | undefined {
	const isStream = String(headers['content-type'] ?? '').startsWith('text/event-stream');
	const messages: Array<Message | undefined> = (isStream ? eventsOf(body) : [body]).map(decodedObject);
	return messages.find((message) => message?.result !== undefined || message?.error !== undefined);
}

/** The data of each event that has ended: one that was cut off is left out. */
function eventsOf(stream: string): string[] {
	const blocks = stream.split(/\r\n\r\n|\n\n|\r\r/).slice(0, -1);
	return blocks.map((block) =>
		block
			.split(/\r\n|\n|\r/)
			.filter((line) => line.startsWith('data:'))
			.map((line) => line.slice('data:'.length).replace(/^ /, ''))
			.join('\n'),
	);
}

function protocolRefusal(answer: HttpAnswer, error: NonNullable<Message['error']>): Refusal {
	const { code = error.code ?? 'protocol', message = error.message, ...details } = error.data ?? {};
	const retryAfter = retryAfterOf(answer) ?? (details.retry_after as number | undefined);
	const text = message ?? 'The server refused the request';
	return new Refusal(String(text), String(code), details, answer.status, retryAfter);
}

function refusedBy(error: Json | undefined, text: string): Refusal {
	const { code = 'tool_error', message = text, ...details } = error ?? {};
	return new Refusal(String(message), String(code), details, undefined, details.retry_after as number | undefined);
}

function textsOf(content: unknown): string {
	const blocks = Array.isArray(content) ? (content as Array<{ type?: string; text?: string }>) : [];
	return blocks.flatMap(({ type, text }) => (type === 'text' && text !== undefined ? [text] : [])).join('\n');
}

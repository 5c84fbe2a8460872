import { Refusal } from '../shared/errors';
import { retryAfterOf, type HttpRequest, type Send } from '../shared/http';

const PATH = '/webhooks';

export interface Subscription {
	id: string;
	url: string;
	events: string[];
	state: 'active' | 'disabled';
}

export type Wanted = Pick<Subscription, 'url' | 'events'>;

/** The subscription with this id, or undefined if it is not there, or not ours. */
export async function subscription(send: Send, id: string): Promise<Subscription | undefined> {
	try {
		return (await asked(send, { method: 'GET', path: `${PATH}/${id}` })) as unknown as Subscription;
	} catch (error) {
		if (error instanceof Refusal && error.httpStatus === 404) return undefined;
		throw error;
	}
}

/** Each subscription whose events come to the address. */
export async function subscriptionsTo(send: Send, url: string): Promise<Subscription[]> {
	const { webhooks } = await asked(send, { method: 'GET', path: PATH });
	return (webhooks as Subscription[]).filter((known) => known.url === url);
}

/** A new subscription, whose messages are signed with the secret. */
export async function subscribe(send: Send, wanted: Wanted & { secret: string }): Promise<Subscription> {
	const body = { ...wanted, description: 'n8n: Sixty CRM Trigger' };
	return (await asked(send, { method: 'POST', path: PATH, body: JSON.stringify(body) })) as unknown as Subscription;
}

/** The subscription asks for these events, and is served again if it was given up. */
export async function renew(send: Send, id: string, events: string[]): Promise<void> {
	const body = JSON.stringify({ events, state: 'active' });
	await asked(send, { method: 'PATCH', path: `${PATH}/${id}`, body });
}

/** The subscription is gone, whether or not it was there. */
export async function unsubscribe(send: Send, id: string): Promise<void> {
	try {
		await asked(send, { method: 'DELETE', path: `${PATH}/${id}` });
	} catch (error) {
		if (!(error instanceof Refusal && error.httpStatus === 404)) throw error;
	}
}

async function asked(send: Send, request: HttpRequest): Promise<Record<string, unknown>> {
	const headers = { accept: 'application/json', 'content-type': 'application/json' };
	const answer = await send({ ...request, headers });
	const body = decoded(answer.body);
	if (answer.status < 400 && body !== undefined) return body;
	const error = (body?.error ?? {}) as Record<string, unknown>;
	const { code = `http_${answer.status}`, message, ...details } = error;
	const text = message ?? `The server answered with HTTP status ${answer.status}; is the server address right?`;
	throw new Refusal(String(text), String(code), details, answer.status, retryAfterOf(answer));
}

function decoded(text: string): Record<string, unknown> | undefined {
	if (text.trim() === '') return {};
	try {
		return JSON.parse(text) as Record<string, unknown>;
	} catch {
		return undefined;
	}
}

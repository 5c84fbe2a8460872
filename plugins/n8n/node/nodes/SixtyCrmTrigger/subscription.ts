import { Refusal } from '../shared/errors';
import { retryAfterOf, type HttpAnswer, type HttpRequest, type Send } from '../shared/http';
import { decodedObject } from '../shared/json';

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
	const answer = await asked(send, { method: 'GET', path: `${PATH}/${id}` });
	return answer.status === 404 ? undefined : granted<Subscription>(answer);
}

/** Each subscription whose events come to the address. */
export async function subscriptionsTo(send: Send, url: string): Promise<Subscription[]> {
	const answer = await asked(send, { method: 'GET', path: PATH });
	return granted<{ webhooks: Subscription[] }>(answer).webhooks.filter((known) => known.url === url);
}

/** A new subscription, whose messages are signed with the secret. */
export async function subscribe(send: Send, wanted: Wanted & { secret: string }): Promise<Subscription> {
	const body = JSON.stringify({ ...wanted, description: 'n8n: Sixty CRM Trigger' });
	return granted<Subscription>(await asked(send, { method: 'POST', path: PATH, body }));
}

/** The subscription asks for these events, and is served again if it was given up. */
export async function renew(send: Send, id: string, events: string[]): Promise<void> {
	const body = JSON.stringify({ events, state: 'active' });
	granted(await asked(send, { method: 'PATCH', path: `${PATH}/${id}`, body }));
}

/** The subscription is gone, whether or not it was there. */
export async function unsubscribe(send: Send, id: string): Promise<void> {
	const answer = await asked(send, { method: 'DELETE', path: `${PATH}/${id}` });
	if (answer.status !== 404) granted(answer);
}

async function asked(send: Send, request: HttpRequest): Promise<HttpAnswer> {
	const headers = { accept: 'application/json', 'content-type': 'application/json' };
	return await send({ ...request, headers });
}

/** What a good answer says. Throws the `Refusal` that another one is. */
function granted<Result>(answer: HttpAnswer): Result {
	const body = answer.status === 204 ? {} : decodedObject(answer.body);
	if (answer.status < 300 && body !== undefined) return body as Result;
	const { code = `http_${answer.status}`, message, ...details } = (body?.error ?? {}) as Record<string, unknown>;
	const text = message ?? `The server answered with HTTP status ${answer.status}; is the server address right?`;
	throw new Refusal(String(text), String(code), details, answer.status, retryAfterOf(answer));
}

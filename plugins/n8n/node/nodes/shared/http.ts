/** An HTTP request to the server, without its credential. */
export interface HttpRequest {
	method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
	path: string;
	headers?: Record<string, string>;
	body?: string;
}

/** A whole answer. */
export interface HttpAnswer {
	status: number;
	/** Names are in lower case. */
	headers: Record<string, unknown>;
	body: string;
}

/** Sends a request and gives the answer, whatever its status; rejects if there was none. */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>;

/** The seconds that a `Retry-After` header asks for; it may also be a date. */
export function retryAfterOf({ headers }: HttpAnswer, now = Date.now()): number | undefined {
	const value = headers['retry-after'];
	if (typeof value !== 'string' || value.trim() === '') return undefined;
	const seconds = Number(value);
	if (!Number.isNaN(seconds)) return Math.max(0, seconds);
	const at = Date.parse(value);
	return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

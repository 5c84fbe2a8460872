/** What the server, or the way to it, has against a request. */
export class Refusal extends Error {
	constructor(
		message: string,
		/** What kind of mistake: a code of the server's such as `forbidden`, or one of ours for what is none of its. */
		readonly code: string,
		/** What the server said besides, such as the field that is wrong. */
		readonly details: Record<string, unknown> = {},
		readonly httpStatus?: number,
		/** Seconds after which the same request may be sent again. */
		readonly retryAfter?: number,
	) {
		super(message);
		this.name = 'Refusal';
	}
}

/** A value of the node's own that cannot be what its argument needs. */
export class BadArgument extends Error {
	readonly code = 'invalid';

	constructor(message: string) {
		super(message);
		this.name = 'BadArgument';
	}
}

import { createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds that a message may be old, or ahead of our clock. */
export const TOLERANCE = 5 * 60;

const PREFIX = 'whsec_';
const VERSION = 'v1,';
/** Bytes of a secret, as the standard has it. */
const SHORTEST = 24;

export interface SignedMessage {
	headers: Record<string, unknown>;
	/** The bytes that were sent. */
	body: Buffer;
}

/**
 * Why the message is not to be believed, or undefined if it is: it was signed with the secret, a moment ago.
 *
 * While a secret is replaced a message has a signature for each; one that fits is enough.
 */
export function distrust({ headers, body }: SignedMessage, secret: unknown, now: number): string | undefined {
	const id = headers['webhook-id'];
	const timestamp = headers['webhook-timestamp'];
	const signatures = headers['webhook-signature'];
	const key = keyOf(secret);
	if (key.length < SHORTEST) return 'there is no secret to check it with';
	if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') {
		return 'webhook-id, webhook-timestamp or webhook-signature is missing';
	}
	if (!/^\d+$/.test(timestamp)) return 'webhook-timestamp is no number of seconds';
	if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE) return 'webhook-timestamp is too far from now';
	const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
	const isSigned = signatures
		.split(' ')
		.filter((signature) => signature.startsWith(VERSION))
		.map((signature) => Buffer.from(signature.slice(VERSION.length), 'base64'))
		.some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
	return isSigned ? undefined : 'no signature fits';
}

function keyOf(secret: unknown): Buffer {
	const isSecret = typeof secret === 'string' && secret.startsWith(PREFIX);
	return Buffer.from(isSecret ? secret.slice(PREFIX.length) : '', 'base64');
}

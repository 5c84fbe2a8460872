import { Refusal } from './errors';

/** Seconds that a request waits at the most when it came too soon: the server counts calls by the minute. */
const LONGEST = 60;
const TRIES = 4;

/**
 * What the call gives. If the server says when it may be sent again, it is: after that time, unless that is long.
 *
 * Every write has an idempotency key, so that none is done twice.
 */
export async function patiently<Result>(
	call: () => Promise<Result>,
	wait: (milliseconds: number) => Promise<unknown>,
): Promise<Result> {
	for (let tries = 1; ; tries++) {
		try {
			return await call();
		} catch (error) {
			const seconds = error instanceof Refusal ? error.retryAfter : undefined;
			if (seconds === undefined || seconds > LONGEST || tries === TRIES) throw error;
			await wait(seconds * 1000);
		}
	}
}

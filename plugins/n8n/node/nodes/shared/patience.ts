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
		const [outcome] = await Promise.allSettled([call()]);
		if (outcome.status === 'fulfilled') return outcome.value;
		const seconds = outcome.reason instanceof Refusal ? outcome.reason.retryAfter : undefined;
		if (seconds === undefined || seconds > LONGEST || tries === TRIES) throw outcome.reason;
		await wait(seconds * 1000);
	}
}

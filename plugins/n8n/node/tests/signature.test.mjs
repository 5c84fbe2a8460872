import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { distrust } from '../dist/nodes/SixtyCrmTrigger/signature.js';

// the example of the reference implementations, github.com/standard-webhooks/standard-webhooks
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const SECONDS = 1614265330;
const BODY = '{"test": 2432232314}';
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOW = SECONDS * 1000;

const message = (changes = {}) => ({
	body: Buffer.from(changes.body ?? BODY),
	headers: {
		'webhook-id': ID,
		'webhook-timestamp': String(SECONDS),
		'webhook-signature': SIGNATURE,
		...changes.headers,
	},
});

/** By another way than the node's own. */
function signed(secret, body, seconds = SECONDS) {
	const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
	return `v1,${createHmac('sha256', key).update(`${ID}.${seconds}.${body}`, 'utf8').digest('base64')}`;
}

const is_trusted = (changes, secret = SECRET, now = NOW) =>
	assert.equal(distrust(message(changes), secret, now), undefined);
const is_refused = (reason, changes, secret = SECRET, now = NOW) =>
	assert.match(distrust(message(changes), secret, now) ?? 'trusted', reason);

test('the example of the reference is trusted', () => is_trusted());

test('a message is trusted up to five minutes after it was sent, and before', () => {
	is_trusted({}, SECRET, NOW + 300_000);
	is_trusted({}, SECRET, NOW - 300_000);
	is_refused(/too far from now/, {}, SECRET, NOW + 301_000);
	is_refused(/too far from now/, {}, SECRET, NOW - 301_000);
});

test('a timestamp is a number of seconds and nothing else', () => {
	for (const timestamp of ['', 'now', '1e9', '-5', `${SECONDS}.0`, `0x10`, ` ${SECONDS}`]) {
		is_refused(/no number of seconds/, { headers: { 'webhook-timestamp': timestamp } });
	}
});

test('the bytes are signed, not what they mean', () => {
	is_refused(/no signature fits/, { body: '{"test":2432232314}' });
	const body = '{"title": "Größe – 10 €"}';
	is_trusted({ body, headers: { 'webhook-signature': signed(SECRET, body) } });
});

test('a message that was tampered with is refused', () => {
	is_refused(/no signature fits/, { body: BODY.replace('2', '3') });
	is_refused(/no signature fits/, { headers: { 'webhook-id': 'msg_another' } });
	is_refused(/no signature fits/, { headers: { 'webhook-timestamp': String(SECONDS + 1) } });
});

test('while a secret is replaced one of several signatures is enough', () => {
	const both = `${signed(OTHER, BODY)} ${SIGNATURE}`;
	is_trusted({ headers: { 'webhook-signature': both } });
	is_trusted({ headers: { 'webhook-signature': both } }, OTHER);
});

test('a signature by another secret, of another version or of none is refused', () => {
	const bare = SIGNATURE.slice('v1,'.length);
	for (const signature of [
		signed(OTHER, BODY),
		`v2,${bare}`,
		`v1a,${bare}`,
		bare,
		'v1,',
		'',
		'v1',
		`${SIGNATURE.slice(0, -8)}`,
	]) {
		is_refused(/no signature fits/, { headers: { 'webhook-signature': signature } });
	}
});

test('without its headers, or with one twice, a message is refused', () => {
	for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
		is_refused(/is missing/, { headers: { [name]: undefined } });
		is_refused(/is missing/, { headers: { [name]: ['a', 'b'] } });
	}
});

test('without a secret nothing is trusted', () => {
	for (const secret of [undefined, null, '', 5, 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_']) {
		assert.notEqual(distrust(message(), secret, NOW), undefined);
	}
});

test('an empty secret is none, though anybody could sign with it', () => {
	is_refused(/no secret/, { headers: { 'webhook-signature': signed('whsec_', BODY) } }, 'whsec_');
});

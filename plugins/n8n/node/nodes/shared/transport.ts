import type { IExecuteFunctions, IHookFunctions, ILoadOptionsFunctions } from 'n8n-workflow';

import type { Send } from './http';

export const CREDENTIAL = 'sixtyCrmApi';

type Context = IExecuteFunctions | IHookFunctions | ILoadOptionsFunctions;

interface Answer {
	statusCode: number;
	headers: Record<string, unknown>;
	body: unknown;
}

/** Sends requests to the server of the node's credential, in its name. Redirects are not followed: a key goes nowhere else. */
export async function senderFor(context: Context): Promise<Send> {
	const { baseUrl } = await context.getCredentials<{ baseUrl: string }>(CREDENTIAL);
	const address = baseUrl.trim().replace(/\/+$/, '');
	return async ({ method, path, headers, body }) => {
		const answer: Answer = await context.helpers.httpRequestWithAuthentication.call(context, CREDENTIAL, {
			method,
			url: address + path,
			headers,
			body,
			encoding: 'text', // parsed by us: an answer is JSON, a stream of events, or a proxy's page
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
		});
		const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
		return { status: answer.statusCode, headers: answer.headers, body: text };
	};
}

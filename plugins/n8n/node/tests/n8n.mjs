import { createRequire } from 'node:module';

/** As the node itself gets them. */
export const { NodeApiError, NodeOperationError } = createRequire(import.meta.url)('n8n-workflow');

const NODE = {
	id: 'b7e8',
	name: 'Sixty CRM',
	type: 'n8n-nodes-sixty-crm.sixtyCrm',
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
};

/** What n8n gives to each function of a node: its parameters, its credential, and the way to the server. */
function context(server, parameters) {
	const value = (name, fallback) => name.split('.').reduce((found, part) => found?.[part], parameters) ?? fallback;
	return {
		getNode: () => NODE,
		getCredentials: async () => ({ baseUrl: `${server.url}/`, apiKey: 'sk60_test' }),
		getNodeParameter: value,
		helpers: {
			async httpRequestWithAuthentication(credential, { method, url, headers, body }) {
				const authorization = { sixtyCrmApi: 'Bearer sk60_test' }[credential];
				const answer = await fetch(url, { method, headers: { ...headers, authorization }, body });
				return { statusCode: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
			},
		},
	};
}

/** For `execute`: one parameter set per item. */
export function executing(server, items, { continues = false, run = 0, execution = '17' } = {}) {
	const of = (item) => context(server, items[item]);
	return {
		...of(0),
		getInputData: () => items.map((_, item) => ({ json: { place: item } })),
		getNodeParameter(name, item, fallback, options) {
			const value = of(item).getNodeParameter(name, fallback);
			return options?.extractValue && value?.__rl ? value.value : value;
		},
		continueOnFail: () => continues,
		getExecutionId: () => execution,
		getInstanceId: () => 'here',
		getExecutionContext: () => ({ establishedAt: 1700000000000 }),
		getWorkflowDataProxy: () => ({ $runIndex: run }),
	};
}

/** For what fills the lists and forms of the editor. */
export function editing(server, parameters = {}) {
	const base = context(server, parameters);
	return {
		...base,
		getNodeParameter: (name, fallback) => {
			const value = base.getNodeParameter(name, fallback);
			return value?.__rl ? value.value : value;
		},
	};
}

/** For what happens when a workflow is activated and deactivated. */
export function activating(server, parameters, remembered, url) {
	return {
		...context(server, parameters),
		getWorkflowStaticData: () => remembered,
		getNodeWebhookUrl: () => url,
	};
}

/** For a request to the webhook; what was answered stands in `answered`. */
export function receiving(parameters, remembered, { headers, body }) {
	const answered = {};
	const response = {
		status(code) {
			answered.status = code;
			return response;
		},
		json(value) {
			answered.body = value;
			return response;
		},
	};
	return {
		...context({ url: '' }, parameters),
		answered,
		getWorkflowStaticData: () => remembered,
		getResponseObject: () => response,
		getRequestObject: () => ({
			headers,
			async readRawBody() {
				this.rawBody = Buffer.from(body);
			},
		}),
	};
}

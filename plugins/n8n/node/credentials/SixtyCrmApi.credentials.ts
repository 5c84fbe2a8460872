import type {
	IAuthenticateGeneric,
	ICredentialTestRequest,
	ICredentialType,
	Icon,
	INodeProperties,
} from 'n8n-workflow';

/** The address of a server, and an API key for it. What the key may do is what its user may do. */
export class SixtyCrmApi implements ICredentialType {
	name = 'sixtyCrmApi';

	displayName = 'Sixty CRM API';

	icon: Icon = { light: 'file:../icons/sixty.svg', dark: 'file:../icons/sixty.dark.svg' };

	documentationUrl = 'https://github.com/sixty-crm/n8n-nodes-sixty-crm#credentials';

	properties: INodeProperties[] = [
		{
			displayName: 'Server Address',
			name: 'baseUrl',
			type: 'string',
			default: '',
			placeholder: 'https://crm.example.com',
			description: 'Where the Sixty server is reached, without a path',
			required: true,
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'sk60_…',
			description: 'Made by `sixty key add`; it acts as the user whom it was made for',
			required: true,
		},
	];

	authenticate: IAuthenticateGeneric = {
		type: 'generic',
		properties: { headers: { Authorization: '=Bearer {{ $credentials.apiKey }}' } },
	};

	test: ICredentialTestRequest = {
		request: {
			baseURL: '={{ $credentials.baseUrl.trim().replace(/\\/+$/, "") }}',
			url: '/mcp',
			method: 'POST',
			headers: {
				Accept: 'application/json, text/event-stream',
				'MCP-Protocol-Version': '2026-07-28',
				'Mcp-Method': 'tools/list',
			},
			body: {
				jsonrpc: '2.0',
				id: 1,
				method: 'tools/list',
				params: {
					_meta: {
						'io.modelcontextprotocol/protocolVersion': '2026-07-28',
						'io.modelcontextprotocol/clientInfo': { name: 'n8n-nodes-sixty-crm', version: 'test' },
						'io.modelcontextprotocol/clientCapabilities': {},
					},
				},
			},
		},
	};
}

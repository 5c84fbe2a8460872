// A client of the protocol as a process, on either of the official TypeScript SDKs. Its argument says how to connect;
// it speaks the lines that `client.py` describes.
import { createInterface } from 'node:readline';

const { sdk, transport, era, url, token, command, env } = JSON.parse(process.argv[2]);
const say = line => console.log(JSON.stringify(line));
const load = async (...modules) => Object.assign({}, ...(await Promise.all(modules.map(module => import(module)))));

const { Client, StdioClientTransport, StreamableHTTPClientTransport, SSEClientTransport, WebSocketClientTransport } =
    sdk === 'client'
        ? await load('@modelcontextprotocol/client', '@modelcontextprotocol/client/stdio')
        : await load(...['index', 'stdio', 'streamableHttp', 'sse', 'websocket'].map(name => `@modelcontextprotocol/sdk/client/${name}.js`));

const headers = { Authorization: `Bearer ${token}` };
const Browserlike = globalThis.WebSocket;
globalThis.WebSocket = class extends Browserlike {
    constructor(address, protocols) {
        super(address, { protocols, headers }); // the SDK's transport has no place for a credential, and Node's socket has
    }
};

const transports = {
    stdio: () => new StdioClientTransport({ command, env, args: ['serve'] }),
    http: () => new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } }),
    sse: () => new SSEClientTransport(new URL('/sse', url), { requestInit: { headers } }),
    websocket: () => new WebSocketClientTransport(new URL('/ws', url.replace('http', 'ws'))),
};

const client = new Client(
    { name: sdk, version: '1.0.0' },
    { versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' } },
);
client.fallbackNotificationHandler = async ({ method, params }) => say({ told: [method, params?.uri].filter(Boolean).join(' ') });

const verbs = {
    tools: async () => (await client.listTools()).tools.map(tool => tool.name),
    prompts: async () => (await client.listPrompts()).prompts.map(prompt => prompt.name),
    resources: async () => (await client.listResources()).resources.map(resource => resource.uri),
    templates: async () => (await client.listResourceTemplates()).resourceTemplates.map(template => template.uriTemplate),
    call: async (name, args) => JSON.parse((await client.callTool({ name, arguments: args })).content[0].text),
    read: async uri => (await client.readResource({ uri })).contents[0].text,
    prompt: async (name, args) => (await client.getPrompt({ name, arguments: args })).messages[0].content.text,
    complete: async (name, argument, value) =>
        (await client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: argument, value } })).completion.values,
    listen: async (...uris) => {
        const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
        if (era === 'modern') await client.listen({ ...lists, resourceSubscriptions: uris });
        else for (const uri of uris) await client.subscribeResource({ uri });
    },
};

const connection = transports[transport]();
await client.connect(connection);
say({ answer: client.getNegotiatedProtocolVersion?.() ?? connection.protocolVersion ?? null });
for await (const line of createInterface({ input: process.stdin })) {
    const [verb, ...rest] = JSON.parse(line);
    try {
        say({ answer: (await verbs[verb](...rest)) ?? null });
    } catch (error) {
        say({ error: error.message });
    }
}
await client.close();

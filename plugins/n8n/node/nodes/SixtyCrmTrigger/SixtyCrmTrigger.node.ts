import { randomBytes } from 'node:crypto';

import {
	NodeConnectionTypes,
	type IDataObject,
	type IHookFunctions,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';

import { failureOf } from '../shared/failures';
import { labelOf } from '../shared/schemas';
import { senderFor } from '../shared/transport';
import { EVENTS, STAGES } from './events.generated';
import { distrust } from './signature';
import { renew, subscribe, subscription, subscriptionsTo, unsubscribe } from './subscription';

const STAGE_CHANGED = 'deal.stage_changed';
const TEST = 'webhook.test';

/** What the node remembers of its subscription. */
interface Remembered {
	id?: string;
	secret?: string;
}

/** Starts a workflow when something happens in the CRM that its user may read. */
export class SixtyCrmTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sixty CRM Trigger',
		name: 'sixtyCrmTrigger',
		icon: { light: 'file:../../icons/sixty.svg', dark: 'file:../../icons/sixty.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter["events"].join(", ") }}',
		description: 'Starts the workflow when something happens in Sixty CRM',
		defaults: { name: 'Sixty CRM Trigger' },
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'sixtyCrmApi', required: true }],
		webhooks: [{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'webhook' }],
		properties: [
			{
				displayName: 'Events',
				name: 'events',
				type: 'multiOptions',
				options: [
					{ name: 'Any Event', value: '*', description: 'Everything that happens, also in further packs' },
					...EVENTS.map(({ name, description }) => ({
						name: labelOf(name.replace('.', '_')),
						value: name,
						description,
					})),
				],
				default: [],
				required: true,
				description: 'What starts the workflow: only what the user of the API key may read',
			},
			{
				displayName: 'To Stages',
				name: 'toStages',
				type: 'multiOptions',
				options: STAGES.map((stage) => ({ name: labelOf(stage), value: stage })),
				default: [],
				displayOptions: { show: { events: [STAGE_CHANGED, '*'] } },
				description: 'The stages that a deal has to enter to start the workflow; any, unless some are chosen',
			},
		],
	};

	webhookMethods = {
		default: {
			async checkExists(this: IHookFunctions): Promise<boolean> {
				try {
					return await isSubscribed(this);
				} catch (error) {
					throw failureOf(this.getNode(), error);
				}
			},
			async create(this: IHookFunctions): Promise<boolean> {
				const remembered: Remembered = this.getWorkflowStaticData('node');
				try {
					const secret = `whsec_${randomBytes(32).toString('base64')}`;
					const { id } = await subscribe(await senderFor(this), { ...wantedBy(this), secret });
					Object.assign(remembered, { id, secret });
					return true;
				} catch (error) {
					throw failureOf(this.getNode(), error);
				}
			},
			async delete(this: IHookFunctions): Promise<boolean> {
				const remembered: Remembered = this.getWorkflowStaticData('node');
				try {
					if (remembered.id !== undefined) await unsubscribe(await senderFor(this), remembered.id);
				} catch (error) {
					throw failureOf(this.getNode(), error);
				}
				delete remembered.id;
				delete remembered.secret;
				return true;
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		const request = this.getRequestObject();
		const remembered: Remembered = this.getWorkflowStaticData('node');
		if (!request.rawBody) await request.readRawBody();
		const reason = distrust({ headers: request.headers, body: request.rawBody }, remembered.secret, Date.now());
		if (reason !== undefined) {
			this.getResponseObject()
				.status(401)
				.json({ error: { code: 'unauthenticated', message: reason } });
			return { noWebhookResponse: true };
		}
		const event = JSON.parse(request.rawBody.toString('utf8')) as IDataObject;
		if (!isWanted(event, this.getNodeParameter('toStages', []) as string[])) {
			return { webhookResponse: { started: false } };
		}
		return { workflowData: [[{ json: { id: request.headers['webhook-id'] as string, ...event } }]] };
	}
}

/** Whether the server has the subscription of this node, for this address. What has become of others is cleared away. */
async function isSubscribed(node: IHookFunctions): Promise<boolean> {
	const { id, secret }: Remembered = node.getWorkflowStaticData('node');
	const send = await senderFor(node);
	const { url, events } = wantedBy(node);
	const known = id === undefined || secret === undefined ? undefined : await subscription(send, id);
	if (known?.url === url) {
		await renew(send, known.id, events);
		return true;
	}
	// whose secret is lost would be refused for weeks
	for (const stray of await subscriptionsTo(send, url)) await unsubscribe(send, stray.id);
	return false;
}

function wantedBy(node: IHookFunctions): { url: string; events: string[] } {
	return {
		url: node.getNodeWebhookUrl('default') as string,
		events: node.getNodeParameter('events') as string[],
	};
}

function isWanted({ type, data }: IDataObject, toStages: string[]): boolean {
	if (type === TEST) return false;
	if (type !== STAGE_CHANGED || toStages.length === 0) return true;
	return toStages.includes((data as IDataObject).to_stage as string);
}

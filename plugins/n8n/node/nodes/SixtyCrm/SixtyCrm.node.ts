import {
	NodeConnectionTypes,
	sleep,
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { detailsOf, failureOf } from '../shared/failures';
import type { Send } from '../shared/http';
import { callTool } from '../shared/mcp';
import { patiently } from '../shared/patience';
import { senderFor } from '../shared/transport';
import { argumentsOf, mappedArguments, wantedOf, type Parameter } from './arguments';
import { itemsOf } from './items';
import { pagesOf } from './lists';
import { isPaged, operationNamed } from './operations';
import { operationProperties, toolProperties } from './properties';
import { getToolArguments, searchContacts, searchDeals, searchTools } from './searches';

/** Does in the CRM what its user may do: each operation is one tool of the server. */
export class SixtyCrm implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sixty CRM',
		name: 'sixtyCrm',
		icon: { light: 'file:../../icons/sixty.svg', dark: 'file:../../icons/sixty.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter["operation"] || $parameter["tool"]?.value }}',
		description: 'Work with deals, contacts, activities, tasks and figures of Sixty CRM',
		defaults: { name: 'Sixty CRM' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'sixtyCrmApi', required: true }],
		properties: [
			{
				displayName: 'Resource',
				name: 'resource',
				type: 'options',
				noDataExpression: true,
				options: [
					{ name: 'Activity', value: 'activity' },
					{ name: 'Analytics', value: 'analytics' },
					{ name: 'Contact', value: 'contact' },
					{ name: 'Deal', value: 'deal' },
					{ name: 'Other Tool', value: 'other' },
					{ name: 'Task', value: 'task' },
				],
				default: 'deal',
			},
			...operationProperties(),
			...toolProperties(),
			{
				displayName: 'Simplify',
				name: 'simplify',
				type: 'boolean',
				default: true,
				description: 'Whether to return a simplified version of the response instead of the raw data',
			},
		],
	};

	methods = {
		listSearch: { searchContacts, searchDeals, searchTools },
		resourceMapping: { getToolArguments },
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const items = this.getInputData();
		const send = await senderFor(this);
		const produced: INodeExecutionData[] = [];
		for (let item = 0; item < items.length; item++) {
			try {
				for (const json of await run(this, send, item)) produced.push({ json, pairedItem: { item } });
			} catch (error) {
				if (!this.continueOnFail()) throw failureOf(this.getNode(), error, item);
				produced.push({ json: { error: detailsOf(error) }, pairedItem: { item } });
			}
		}
		return [produced];
	}
}

/** What the operation gives for one item. */
async function run(node: IExecuteFunctions, send: Send, item: number): Promise<IDataObject[]> {
	const parameter: Parameter = (name, fallback) => node.getNodeParameter(name, item, fallback);
	const key = idempotencyKey(node, item);
	const call = async (tool: string, args: IDataObject, once: boolean) =>
		(await patiently(() => callTool(send, tool, args, once ? key : undefined), sleep)) as IDataObject;

	const simplify = parameter('simplify', true) as boolean;
	if (parameter('resource', '') === 'other') {
		const tool = node.getNodeParameter('tool', item, '', { extractValue: true }) as string;
		const answer = await call(tool, mappedArguments(parameter, node.getInputData()[item].json), true);
		return itemsOf(undefined, answer, simplify);
	}
	const operation = operationNamed(parameter('operation', ''));
	const args = argumentsOf(operation, parameter);
	if (!isPaged(operation)) {
		return itemsOf(operation, await call(operation.tool, args, operation.effect !== 'read'), simplify);
	}
	const wanted = wantedOf(operation, parameter);
	const pages = await pagesOf(operation, wanted, (page) => call(operation.tool, { ...args, ...page }, false));
	return pages.flatMap((page) => itemsOf(operation, page, simplify));
}

/** The same for each try of one run on one item, and for nothing else. */
function idempotencyKey(node: IExecuteFunctions, item: number): string {
	const run = node.getWorkflowDataProxy(item).$runIndex as number;
	const since = node.getExecutionContext?.()?.establishedAt; // an n8n that is set up anew counts executions from 1 again
	return ['n8n', node.getInstanceId(), node.getExecutionId(), since, node.getNode().id, run, item].join(':');
}

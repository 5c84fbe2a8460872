import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { labelOf, type JsonSchema } from '../shared/schemas';
import { fieldOf } from './fields';
import { isPaged, OPERATIONS, type Operation } from './operations';

/** The operations of each resource, and their fields. */
export function operationProperties(): INodeProperties[] {
	const resources = [...new Set(OPERATIONS.map(({ resource }) => resource))];
	return resources.flatMap((resource) => {
		const operations = OPERATIONS.filter((operation) => operation.resource === resource);
		return [choiceOf(resource, operations), ...operations.flatMap(fieldsOf), ...pagesOf(resource, operations)];
	});
}

/** The tool that is called by its name, and its arguments, which the server tells of. */
export function toolProperties(): INodeProperties[] {
	const displayOptions = { show: { resource: ['other'] } };
	return [
		{
			displayName: 'Tool',
			name: 'tool',
			type: 'resourceLocator',
			default: { mode: 'list', value: '' },
			required: true,
			displayOptions,
			modes: [
				{
					displayName: 'From List',
					name: 'list',
					type: 'list',
					typeOptions: { searchListMethod: 'searchTools', searchable: true },
				},
				{ displayName: 'By Name', name: 'name', type: 'string', placeholder: 'e.g. search_crm' },
			],
		},
		{
			displayName: 'Arguments',
			name: 'toolArguments',
			type: 'resourceMapper',
			noDataExpression: true,
			default: { mappingMode: 'defineBelow', value: null },
			required: true,
			displayOptions,
			typeOptions: {
				loadOptionsDependsOn: ['tool.value'],
				resourceMapper: {
					resourceMapperMethod: 'getToolArguments',
					mode: 'add',
					fieldWords: { singular: 'argument', plural: 'arguments' },
					supportAutoMap: true,
				},
			},
		},
	];
}

function choiceOf(resource: string, operations: Operation[]): INodeProperties {
	const [{ operation: first }] = operations;
	const options = operations.map(optionOf);
	return {
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: [resource] } },
		options: options.sort((one, other) => one.name.localeCompare(other.name)),
		default: first,
	};
}

function optionOf({ operation, tool, description }: Operation): INodePropertyOptions {
	return { name: labelOf(tool), value: operation, description, action: sentenceOf(tool) };
}

function fieldsOf({ resource, operation, schema }: Operation): INodeProperties[] {
	const displayOptions = { show: { resource: [resource], operation: [operation] } };
	const fields: INodeProperties[] = [];
	const optional: INodeProperties[] = [];
	for (const [name, argument] of Object.entries(schema.properties ?? {})) {
		if (name === 'limit') continue;
		if (name === 'updates') {
			fields.push(...updatesOf(argument).map((field) => ({ ...field, displayOptions })));
		} else if (schema.required?.includes(name)) {
			fields.push({ ...fieldOf(name, argument), required: true, displayOptions });
		} else {
			optional.push(fieldOf(name, argument));
		}
	}
	if (optional.length > 0) {
		fields.push({
			...collectionOf('additionalFields', 'Additional Fields', optional),
			displayOptions,
		});
	}
	return fields;
}

/** What an update changes, and what it empties: a field that is left empty is not sent. */
function updatesOf(schema: JsonSchema): INodeProperties[] {
	const fields = Object.entries(schema.properties ?? {});
	return [
		collectionOf(
			'updates',
			'Updates',
			fields.map(([name, argument]) => fieldOf(name, argument)),
		),
		{
			displayName: 'Fields to Clear',
			name: 'fieldsToClear',
			type: 'multiOptions',
			options: fields.map(([name]) => ({ name: labelOf(name), value: name })),
			default: [],
			description: 'Fields that shall be empty afterwards',
		},
	];
}

function collectionOf(name: string, displayName: string, options: INodeProperties[]): INodeProperties {
	const sorted = options.sort((one, other) => one.displayName.localeCompare(other.displayName));
	return { displayName, name, type: 'collection', placeholder: 'Add Field', default: {}, options: sorted };
}

function pagesOf(resource: string, operations: Operation[]): INodeProperties[] {
	const show = { resource: [resource], operation: operations.filter(isPaged).map(({ operation }) => operation) };
	if (show.operation.length === 0) return [];
	return [
		{
			displayName: 'Return All',
			name: 'returnAll',
			type: 'boolean',
			default: false,
			description: 'Whether to return all results or only up to a given limit',
			displayOptions: { show },
		},
		{
			displayName: 'Limit',
			name: 'limit',
			type: 'number',
			typeOptions: { minValue: 1 },
			default: 50,
			description: 'Max number of results to return',
			displayOptions: { show: { ...show, returnAll: [false] } },
		},
	];
}

function sentenceOf(tool: string): string {
	const words = tool.split('_').join(' ');
	return words.charAt(0).toUpperCase() + words.slice(1);
}

import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import { FINDERS, formOf, labelOf, pointedAt, type JsonSchema } from '../shared/schemas';
import { isPaged, OPERATIONS, type Operation } from './operations';

const LONG = 1000;
const UUID = '^\\s*[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\s*$';

/** The operations of each resource, their fields, and what all have in common, as n8n shows them. */
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

/** One argument of a tool as a field. */
function fieldOf(name: string, schema: JsonSchema): INodeProperties {
	const field = { displayName: labelOf(name), name, ...describedBy(schema) };
	const options = (choices: string[] = []) => choices.map((value) => ({ name: labelOf(value), value }));
	switch (formOf(name, schema)) {
		case 'locator':
			return locatorOf(name, field);
		case 'choice':
			return { ...field, type: 'options', options: options(schema.enum), default: schema.default ?? schema.enum?.[0] ?? '' };
		case 'choices':
			return { ...field, type: 'multiOptions', options: options(schema.items?.enum), default: [] };
		case 'boolean':
			return { ...field, type: 'boolean', default: schema.default ?? false };
		case 'number':
			return { ...field, type: 'number', typeOptions: boundsOf(schema), default: schema.default ?? 0 };
		case 'fields':
			return fixedOf(field, schema);
		case 'list':
			return { ...field, type: 'string', default: '', placeholder: 'One, or several with commas between them' };
		case 'json':
			return { ...field, type: 'json', default: schema.type === 'array' ? '[]' : '{}' };
		case 'text':
			return { ...field, type: 'string', ...(isLong(schema) && { typeOptions: { rows: 4 } }), default: '' };
	}
}

type Named = Pick<INodeProperties, 'displayName' | 'name' | 'description'>;

function locatorOf(name: string, field: Named): INodeProperties {
	const kind = pointedAt(name);
	return {
		...field,
		displayName: name === `${kind}_id` ? labelOf(kind) : `${labelOf(name.replace(/_id$/, ''))} ${labelOf(kind)}`,
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: `Select a ${kind}...`,
				typeOptions: { searchListMethod: FINDERS[kind].method, searchable: true },
			},
			{
				displayName: 'By ID',
				name: 'id',
				type: 'string',
				placeholder: 'e.g. 0198f2a0-5a10-7c11-8f00-00000000d001',
				validation: [{ type: 'regex', properties: { regex: UUID, errorMessage: 'Not an ID of a record' } }],
			},
		],
	};
}

/** An object whose fields are known: all of them are shown together. */
function fixedOf(field: Named, schema: JsonSchema): INodeProperties {
	const values = Object.entries(schema.properties ?? {}).map(([name, argument]) => ({
		...fieldOf(name, argument),
		required: schema.required?.includes(name) ?? false,
	}));
	return {
		...field,
		type: 'fixedCollection',
		default: {},
		options: [{ name: 'values', displayName: field.displayName, values }],
	};
}

function describedBy(schema: JsonSchema): { description?: string; hint?: string } {
	if (schema.description) return { description: schema.description };
	if (schema.pattern) return { description: `One that matches ${schema.pattern}` };
	const parts = schema.items?.properties ?? {};
	if (Object.keys(parts).length > 0) {
		const needed = schema.items?.required ?? [];
		const names = Object.keys(parts).map((name) => (needed.includes(name) ? name : `${name}?`));
		return { description: `A JSON array of objects with ${names.join(', ')}` };
	}
	if (schema.propertyNames?.enum) {
		return { description: `A JSON object of ${schema.propertyNames.enum.join(', ')}, or some of them` };
	}
	return {};
}

function boundsOf({ type, minimum, exclusiveMinimum, maximum }: JsonSchema) {
	const least = minimum ?? exclusiveMinimum;
	return {
		...(least !== undefined && { minValue: least }),
		...(maximum !== undefined && { maxValue: maximum }),
		numberPrecision: type === 'integer' ? 0 : 2,
	};
}

function isLong({ maxLength }: JsonSchema): boolean {
	return maxLength !== undefined && maxLength > LONG;
}

function sentenceOf(tool: string): string {
	const words = tool.split('_').join(' ');
	return words.charAt(0).toUpperCase() + words.slice(1);
}

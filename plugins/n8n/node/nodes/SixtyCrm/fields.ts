import type { INodeProperties } from 'n8n-workflow';

import { FINDERS, formOf, labelOf, pointedAt, type JsonSchema } from '../shared/schemas';

const LONG = 1000;
const UUID = '^\\s*[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\s*$';

/** One argument of a tool as a field. */
export function fieldOf(name: string, schema: JsonSchema): INodeProperties {
	const field = { displayName: labelOf(name), name, ...describedBy(schema) };
	const options = (choices: string[] = []) => choices.map((value) => ({ name: labelOf(value), value }));
	switch (formOf(name, schema)) {
		case 'locator':
			return locatorOf(name, field);
		case 'choice':
			return {
				...field,
				type: 'options',
				options: options(schema.enum),
				default: schema.default ?? schema.enum?.[0] ?? '',
			};
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

import type { GenericValue, IDataObject } from 'n8n-workflow';

import { BadArgument } from '../shared/errors';
import { decodedObject } from '../shared/json';
import { formOf, type JsonSchema } from '../shared/schemas';
import { isPaged, type Operation } from './operations';

/** The value of a parameter of the node, or the fallback where the operation has none of that name. */
export type Parameter = (name: string, fallback: unknown) => unknown;

/** The arguments of the operation's tool. What was left empty is left out. */
export function argumentsOf({ schema }: Operation, parameter: Parameter): IDataObject {
	const optional = parameter('additionalFields', {}) as IDataObject;
	const given: IDataObject = {};
	for (const [name, argument] of Object.entries(schema.properties ?? {})) {
		if (name === 'limit') continue;
		const isDirect = schema.required?.includes(name);
		const value = valueOf(name, argument, isDirect ? parameter(name, '') : optional[name]);
		if (name === 'updates') given.updates = { ...(value as IDataObject), ...cleared(parameter) };
		else if (value !== undefined) given[name] = value;
	}
	return given;
}

/** The arguments of a tool that the node learns of from the server, as its mapper of fields gives them. */
export function mappedArguments(parameter: Parameter, item: IDataObject): IDataObject {
	const mapped = parameter('toolArguments.value', {}) as IDataObject | null;
	const fields = parameter('toolArguments.schema', []) as Array<{ id: string }>;
	const isByName = parameter('toolArguments.mappingMode', 'defineBelow') === 'autoMapInputData';
	const given = isByName ? picked(item, fields) : (mapped ?? {});
	return Object.fromEntries(Object.entries(given).filter(([, value]) => !isEmpty(value)));
}

/** How many records a list shall have at the most. */
export function wantedOf(operation: Operation, parameter: Parameter): number {
	if (!isPaged(operation) || parameter('returnAll', false)) return Infinity;
	return Number(parameter('limit', 50));
}

function picked(item: IDataObject, fields: Array<{ id: string }>): IDataObject {
	return Object.fromEntries(fields.filter(({ id }) => id in item).map(({ id }) => [id, item[id]]));
}

function cleared(parameter: Parameter): IDataObject {
	const names = parameter('fieldsToClear', []) as string[];
	return Object.fromEntries(names.map((name) => [name, null]));
}

function isEmpty(value: unknown): boolean {
	return value === undefined || value === null || value === '' || Number.isNaN(value);
}

/** What is sent for what was entered, or undefined for nothing. */
function valueOf(name: string, schema: JsonSchema, entered: unknown): IDataObject | GenericValue | GenericValue[] {
	if (isEmpty(entered)) return undefined;
	switch (formOf(name, schema)) {
		case 'locator':
			return located(entered);
		case 'boolean':
			return entered === 'true' || (entered === 'false' ? false : (entered as boolean));
		case 'number':
			return numberOf(entered);
		case 'list':
		case 'choices':
			return listOf(entered);
		case 'fields':
			return partsOf(schema, entered as IDataObject);
		case 'json':
			return parsed(name, entered);
		case 'choice':
		case 'text':
			return typeof entered === 'number' ? String(entered) : (entered as GenericValue);
	}
}

/** The id that a resource locator holds, or that an expression gives in its place. */
function located(entered: unknown): string | undefined {
	const isLocator = typeof entered === 'object' && entered !== null && 'value' in entered;
	const id = isLocator ? (entered as { value: unknown }).value : entered;
	return isEmpty(id) ? undefined : String(id).trim();
}

/** A number that an expression gave as text is one. What is none is sent as it is, and refused by the server. */
function numberOf(entered: unknown): GenericValue {
	const isNumeric = typeof entered === 'string' && entered.trim() !== '' && !Number.isNaN(Number(entered));
	return isNumeric ? Number(entered) : (entered as GenericValue);
}

function listOf(entered: unknown): GenericValue[] | undefined {
	const entries = Array.isArray(entered) ? entered : String(entered).split(',');
	const texts = entries.map((entry) => (typeof entry === 'string' ? entry.trim() : entry));
	const filled = texts.filter((entry) => !isEmpty(entry));
	return filled.length > 0 ? filled : undefined;
}

function partsOf(schema: JsonSchema, entered: IDataObject): IDataObject | undefined {
	const parts = (entered.values ?? entered) as IDataObject;
	const given: IDataObject = {};
	for (const [name, argument] of Object.entries(schema.properties ?? {})) {
		const value = valueOf(name, argument, parts[name]);
		if (value !== undefined) given[name] = value;
	}
	return Object.keys(given).length > 0 ? given : undefined;
}

function parsed(name: string, entered: unknown): IDataObject | undefined {
	const value = typeof entered === 'string' ? decodedObject(entered) : (entered as IDataObject);
	if (value === undefined) throw new BadArgument(`${name} is no JSON array or object: ${String(entered).slice(0, 80)}`);
	return Object.keys(value).length > 0 ? (value as IDataObject) : undefined;
}

import type {
	FieldType,
	IDataObject,
	ILoadOptionsFunctions,
	INodeListSearchResult,
	ResourceMapperField,
	ResourceMapperFields,
} from 'n8n-workflow';

import { callTool, listTools } from '../shared/mcp';
import { FINDERS, formOf, labelOf, type Findable, type Form, type JsonSchema } from '../shared/schemas';
import { senderFor } from '../shared/transport';
import { OPERATIONS } from './operations';

const SHOWN = 50;

type Search = (
	this: ILoadOptionsFunctions,
	filter?: string,
	paginationToken?: string,
) => Promise<INodeListSearchResult>;

export const searchDeals = searchOf('deal', ({ title, company_name }) => `${title} (${company_name})`);

export const searchContacts = searchOf(
	'contact',
	({ first_name, last_name, email }) => `${first_name} ${last_name} <${email}>`,
);

/** The tools that are no operations of the node: those of the core and of further packs. */
export async function searchTools(this: ILoadOptionsFunctions, filter = ''): Promise<INodeListSearchResult> {
	const own = new Set(OPERATIONS.map(({ tool }) => tool));
	const tools = await listTools(await senderFor(this));
	const wanted = filter.trim().toLowerCase().replace(/\s+/g, '_');
	return {
		results: tools
			.filter(({ name }) => !own.has(name) && name.includes(wanted))
			.map(({ name }) => ({ name: labelOf(name), value: name }))
			.sort((one, other) => one.name.localeCompare(other.name)),
	};
}

/** The fields of the tool that is chosen. */
export async function getToolArguments(this: ILoadOptionsFunctions): Promise<ResourceMapperFields> {
	const chosen = this.getNodeParameter('tool', '', { extractValue: true }) as string;
	const tool = (await listTools(await senderFor(this))).find(({ name }) => name === chosen);
	if (tool === undefined) {
		return { fields: [], emptyFieldsNotice: `The server offers no tool ${chosen} to this API key` };
	}
	const { properties = {}, required = [] } = tool.inputSchema;
	return {
		fields: Object.entries(properties).map(([name, schema]) => mapperField(name, schema, required.includes(name))),
		emptyFieldsNotice: 'This tool takes no arguments',
	};
}

function searchOf(kind: Findable, label: (record: IDataObject) => string): Search {
	const { tool, list } = FINDERS[kind];
	return async function (filter, paginationToken) {
		const args = {
			limit: SHOWN,
			...(filter?.trim() && { query: filter.trim().slice(0, 255) }),
			...(paginationToken && { cursor: paginationToken }),
		};
		const answer = await callTool(await senderFor(this), tool, args);
		const records = answer[list] as IDataObject[];
		return {
			results: records.map((record) => ({ name: label(record), value: record.id as string })),
			paginationToken: answer.next_cursor as string | undefined,
		};
	};
}

const TYPES: Record<Form, FieldType> = {
	boolean: 'boolean',
	choice: 'options',
	choices: 'array',
	fields: 'object',
	json: 'object',
	list: 'array',
	locator: 'string',
	number: 'number',
	text: 'string',
};

function mapperField(name: string, schema: JsonSchema, required: boolean): ResourceMapperField {
	const type = schema.type === 'array' ? 'array' : TYPES[formOf(name, schema)];
	return {
		id: name,
		displayName: schema.description ? `${labelOf(name)}: ${schema.description}` : labelOf(name),
		type,
		required,
		display: true,
		defaultMatch: false,
		removed: !required,
		...(type === 'options' && { options: schema.enum?.map((value) => ({ name: labelOf(value), value })) }),
	};
}

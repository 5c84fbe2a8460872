/** What of a JSON Schema the server uses for the arguments of tools. */
export interface JsonSchema {
	type?: string;
	format?: string;
	description?: string;
	default?: string | number | boolean;
	enum?: string[];
	pattern?: string;
	minimum?: number;
	exclusiveMinimum?: number;
	maximum?: number;
	maxLength?: number;
	minLength?: number;
	minItems?: number;
	maxItems?: number;
	items?: JsonSchema;
	properties?: Record<string, JsonSchema>;
	propertyNames?: JsonSchema;
	additionalProperties?: boolean | JsonSchema;
	required?: string[];
}

/** Tools, by the kind of record that an argument names: what finds such records. */
export const FINDERS = {
	deal: { tool: 'search_deals', list: 'deals', method: 'searchDeals' },
	contact: { tool: 'search_contacts', list: 'contacts', method: 'searchContacts' },
} as const;

export type Findable = keyof typeof FINDERS;

const POINTERS: Record<string, Findable> = {
	deal_id: 'deal',
	contact_id: 'contact',
	primary_id: 'contact',
};

/** How a value is entered. */
export type Form = 'boolean' | 'choice' | 'choices' | 'fields' | 'json' | 'list' | 'locator' | 'number' | 'text';

/** The form in which an argument of this name and schema is entered. */
export function formOf(name: string, schema: JsonSchema): Form {
	if (name in POINTERS) return 'locator';
	if (schema.enum) return 'choice';
	switch (schema.type) {
		case 'boolean':
			return 'boolean';
		case 'integer':
		case 'number':
			return 'number';
		case 'array':
			if (schema.items?.enum) return 'choices';
			return schema.items?.type === 'string' ? 'list' : 'json';
		case 'object':
			return schema.properties ? 'fields' : 'json';
		case 'string':
			return 'text';
		default:
			return 'json';
	}
}

/** The kind of record that an argument with the form `locator` names. */
export function pointedAt(name: string): Findable {
	return POINTERS[name];
}

const SPELLED: Record<string, string> = {
	ai: 'AI',
	id: 'ID',
	ids: 'IDs',
	mrr: 'MRR',
	url: 'URL',
	linkedin: 'LinkedIn',
};

/** What people read for a name of the server's: `expected_close_date` is `Expected Close Date`. */
export function labelOf(name: string): string {
	return name
		.split('_')
		.map((word) => SPELLED[word] ?? word.charAt(0).toUpperCase() + word.slice(1))
		.join(' ');
}

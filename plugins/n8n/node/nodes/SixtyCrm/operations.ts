import type { JsonSchema } from '../shared/schemas';

export { OPERATIONS } from './operations.generated';

/** An operation of the node: one tool of the server. */
export interface Operation {
	resource: string;
	operation: string;
	tool: string;
	description: string;
	effect: string;
	/** The key of what the result is about, if it is about one thing. */
	main: string | null;
	schema: JsonSchema;
}

/** Whether the tool gives a list by pages. */
export function isPaged({ schema }: Operation): boolean {
	return 'cursor' in (schema.properties ?? {});
}

import { BadArgument } from '../shared/errors';
import type { JsonSchema } from '../shared/schemas';
import { OPERATIONS } from './operations.generated';

export { OPERATIONS };

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

/** The operation that a parameter names. Throws a `BadArgument` for another name. */
export function operationNamed(name: unknown): Operation {
	const operation = OPERATIONS.find((known) => known.operation === name);
	if (operation === undefined) throw new BadArgument(`There is no operation ${String(name)}`);
	return operation;
}

/** Whether the tool gives a list by pages. */
export function isPaged({ schema }: Operation): boolean {
	return 'cursor' in (schema.properties ?? {});
}

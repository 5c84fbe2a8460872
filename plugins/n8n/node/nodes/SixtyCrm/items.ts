import type { IDataObject } from 'n8n-workflow';

import type { Operation } from './operations';

const ENVELOPE = ['success', 'message', 'change_id', 'definition'];

/** What becomes of an answer: one item per record of a list, or one of its main thing; all of it unless simplified. */
export function itemsOf(operation: Operation | undefined, answer: IDataObject, simplify: boolean): IDataObject[] {
	if (!simplify) return [answer];
	const main = operation?.main ? answer[operation.main] : undefined;
	if (Array.isArray(main)) return main as IDataObject[];
	if (main !== undefined && main !== null) return [main as IDataObject];
	return [Object.fromEntries(Object.entries(answer).filter(([name]) => !ENVELOPE.includes(name)))];
}

import type { IDataObject } from 'n8n-workflow';

import type { Operation } from './operations';

/** Records of a page at the most. */
const PAGE = 200;

/** The pages of a list, until it ends or `wanted` records are there. */
export async function pagesOf(
	operation: Operation,
	wanted: number,
	call: (page: IDataObject) => Promise<IDataObject>,
): Promise<IDataObject[]> {
	const pages: IDataObject[] = [];
	let missing = wanted;
	let page: IDataObject = { limit: Math.min(missing, PAGE) };
	for (;;) {
		const answer = await call(page);
		pages.push(answer);
		missing -= (answer[operation.main ?? ''] as IDataObject[]).length;
		if (!answer.next_cursor || missing <= 0) return pages;
		page = { limit: Math.min(missing, PAGE), cursor: answer.next_cursor };
	}
}

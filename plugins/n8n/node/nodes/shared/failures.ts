import { NodeApiError, NodeOperationError, type IDataObject, type INode, type JsonObject } from 'n8n-workflow';

import { BadArgument, Refusal } from './errors';

/** The error as n8n shows it: with the server's own code and message where it has said something. */
export function failureOf(node: INode, error: unknown, itemIndex?: number): NodeApiError | NodeOperationError {
	if (error instanceof NodeApiError || error instanceof NodeOperationError) return error;
	if (error instanceof BadArgument) return new NodeOperationError(node, error.message, { itemIndex });
	if (!(error instanceof Refusal)) return new NodeApiError(node, error as JsonObject, { itemIndex });
	return new NodeApiError(node, { ...detailsOf(error) } as JsonObject, {
		message: error.message,
		description: `The server's code for it is ${error.code}`,
		httpCode: error.code,
		itemIndex,
	});
}

/** What an item says of an error, for workflows that go on after one. */
export function detailsOf(error: unknown): IDataObject {
	const { message, code = 'failed' } = error as { message?: string; code?: string };
	return { code, message, ...(error instanceof Refusal && (error.details as IDataObject)) };
}

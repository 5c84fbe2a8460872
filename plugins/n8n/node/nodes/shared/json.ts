/** The value that a text is the JSON of, or undefined if it is none. */
export function decoded(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** The same, if it is an object. */
export function decodedObject(text: string): Record<string, unknown> | undefined {
	const value = decoded(text);
	return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

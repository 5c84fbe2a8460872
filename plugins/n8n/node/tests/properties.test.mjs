import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { OPERATIONS } from '../dist/nodes/SixtyCrm/operations.js';
import { SixtyCrm } from '../dist/nodes/SixtyCrm/SixtyCrm.node.js';
import { SixtyCrmTrigger } from '../dist/nodes/SixtyCrmTrigger/SixtyCrmTrigger.node.js';

const { properties } = new SixtyCrm().description;

/** The fields that are shown when an operation is chosen, by their names. */
function shownFor({ resource, operation }) {
	const fits = ({ displayOptions: { show = {} } = {} }) =>
		[
			[show.resource, resource],
			[show.operation, operation],
		].every(([wanted, value]) => wanted?.includes(value) ?? true);
	const shown = properties.filter(fits);
	const names = shown.map(({ name }) => name);
	assert.equal(new Set(names).size, names.length, `${operation} shows a field twice: ${names}`);
	return Object.fromEntries(shown.map((field) => [field.name, field]));
}

const names = (collection) => (collection?.options ?? []).map(({ name }) => name).sort();

test('each operation is offered by its resource, and by no other', () => {
	for (const { resource, operation } of OPERATIONS) {
		const offering = properties.filter(
			({ name, options }) => name === 'operation' && options.some(({ value }) => value === operation),
		);
		assert.deepEqual(
			offering.map(({ displayOptions }) => displayOptions.show.resource),
			[[resource]],
		);
	}
	assert.equal(new Set(OPERATIONS.map(({ operation }) => operation)).size, OPERATIONS.length);
});

test('each operation is in the README', () => {
	const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
	const missing = OPERATIONS.filter(({ operation }) => !readme.includes(`\`${operation}\``));
	assert.deepEqual(missing, []);
});

test('each argument of each tool has its field: a required one directly, an optional one among the additional fields', () => {
	for (const operation of OPERATIONS) {
		const fields = shownFor(operation);
		const { properties: args = {}, required = [] } = operation.schema;
		const optional = Object.keys(args).filter((name) => !required.includes(name) && name !== 'limit');
		assert.deepEqual(names(fields.additionalFields), optional.sort(), operation.operation);
		for (const name of required) {
			assert.ok(fields[name], `${operation.operation} has no ${name}`);
			assert.ok(name === 'updates' || fields[name].required, `${operation.operation} does not require ${name}`);
		}
		assert.equal('limit' in args, 'limit' in fields && 'returnAll' in fields, operation.operation);
		assert.deepEqual(names(fields.updates), Object.keys(args.updates?.properties ?? {}).sort(), operation.operation);
	}
});

test('deals and contacts are picked from a list or named by id', () => {
	const { deal_id } = shownFor({ resource: 'deal', operation: 'moveDealStage' });
	assert.equal(deal_id.type, 'resourceLocator');
	assert.deepEqual(
		deal_id.modes.map(({ name, typeOptions }) => [name, typeOptions?.searchListMethod]),
		[
			['list', 'searchDeals'],
			['id', undefined],
		],
	);
	const { primary_id } = shownFor({ resource: 'contact', operation: 'mergeContacts' });
	assert.equal(primary_id.modes[0].typeOptions.searchListMethod, 'searchContacts');
	const inside = shownFor({ resource: 'task', operation: 'createTask' }).additionalFields.options;
	assert.equal(inside.find(({ name }) => name === 'contact_id').type, 'resourceLocator');
});

test('what is shown of an argument is what its schema says', () => {
	const { stage, additionalFields } = shownFor({ resource: 'deal', operation: 'createDeal' });
	assert.equal(stage, undefined);
	const field = (wanted) => additionalFields.options.find(({ name }) => name === wanted);
	assert.deepEqual(
		field('stage').options.map(({ value }) => value),
		['sql', 'opportunity', 'verbal', 'signed'],
	);
	assert.equal(field('stage').default, 'sql');
	assert.deepEqual(field('ai_confidence_score').typeOptions, { minValue: 0, maxValue: 100, numberPrecision: 0 });
	assert.deepEqual(field('value').typeOptions, { minValue: 0, maxValue: 10000000, numberPrecision: 2 });
	assert.match(field('expected_close_date').description, /YYYY-MM-DD/);
	assert.equal(field('expected_close_date').displayName, 'Expected Close Date');
	assert.equal(field('ai_confidence_score').displayName, 'AI Confidence Score');
	assert.deepEqual(field('notes').typeOptions, { rows: 4 });
});

test('every list of fields is in the order of what people read', () => {
	for (const { name, options } of properties.filter(({ type }) => type === 'collection')) {
		const labels = options.map(({ displayName }) => displayName);
		assert.deepEqual(
			labels,
			[...labels].sort((one, other) => one.localeCompare(other)),
			name,
		);
	}
});

test('the trigger offers every event that the CRM shares, and all of them', () => {
	const [events, toStages] = new SixtyCrmTrigger().description.properties;
	const values = events.options.map(({ value }) => value);
	assert.equal(values[0], '*');
	assert.ok(values.includes('deal.stage_changed') && values.includes('task.completed'));
	assert.ok(events.options.every(({ description }) => description));
	assert.deepEqual(
		toStages.options.map(({ value }) => value),
		['sql', 'opportunity', 'verbal', 'signed'],
	);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { argumentsOf, mappedArguments, wantedOf } from '../dist/nodes/SixtyCrm/arguments.js';
import { OPERATIONS } from '../dist/nodes/SixtyCrm/operations.js';

const operation = (name) => OPERATIONS.find((known) => known.operation === name);
const from = (parameters) => (name, fallback) =>
	name.split('.').reduce((value, part) => value?.[part], parameters) ?? fallback;
const sent = (name, parameters) => argumentsOf(operation(name), from(parameters));
const picked = (value, mode = 'list') => ({ __rl: true, mode, value });

const DEAL = '0198f2a0-5a10-7c11-8f00-00000000d001';

test('required arguments and additional fields are sent by their own names', () => {
	const additionalFields = { value: 12000.5, stage: 'sql', expected_close_date: '+2_weeks' };
	assert.deepEqual(sent('createDeal', { title: 'Pilot', company_name: 'Acme', additionalFields }), {
		title: 'Pilot',
		company_name: 'Acme',
		value: 12000.5,
		stage: 'sql',
		expected_close_date: '+2_weeks',
	});
});

test('what is left empty is not sent', () => {
	const additionalFields = { value: null, notes: '', expected_close_date: undefined, contact_id: picked('') };
	assert.deepEqual(sent('createDeal', { title: 'Pilot', company_name: '', additionalFields }), { title: 'Pilot' });
	assert.deepEqual(sent('createContact', { additionalFields: { address: {} } }), {});
	assert.deepEqual(sent('createContact', { additionalFields: { address: { values: { city: '', country: '' } } } }), {});
	assert.deepEqual(sent('enrichContact', { additionalFields: { sources: ' , ' } }), {});
	assert.deepEqual(sent('getContactTimeline', { additionalFields: { kinds: [] } }), {});
	assert.deepEqual(sent('bulkScheduleActivities', { activities: '[]' }), {});
});

test('zero, no and a space are not empty', () => {
	assert.deepEqual(sent('getUpcomingActivities', { additionalFields: { days_ahead: 0, include_overdue: false } }), {
		days_ahead: 0,
		include_overdue: false,
	});
	assert.deepEqual(sent('createTask', { additionalFields: { title: ' ' } }), { title: ' ' });
});

test('a locator gives the id that was picked or entered, and an expression may give it alone', () => {
	for (const deal_id of [picked(DEAL), picked(` ${DEAL}\n`, 'id'), DEAL]) {
		assert.deepEqual(sent('getDealHistory', { deal_id }), { deal_id: DEAL });
	}
	assert.deepEqual(sent('createTask', { additionalFields: { deal_id: picked(DEAL, 'id') } }), { deal_id: DEAL });
	assert.deepEqual(sent('mergeContacts', { primary_id: picked('c1'), duplicate_ids: 'c2' }), {
		primary_id: 'c1',
		duplicate_ids: ['c2'],
	});
});

test('numbers and switches that an expression gave as text are numbers and switches', () => {
	const additionalFields = { include_probability: 'false', historical: 'true' };
	assert.deepEqual(sent('forecastRevenue', { period: 'month', additionalFields }), {
		period: 'month',
		include_probability: false,
		historical: true,
	});
	assert.deepEqual(sent('splitDealRevenue', { deal_id: DEAL, monthly_mrr: '400.50', one_off_revenue: 7 }), {
		deal_id: DEAL,
		monthly_mrr: 400.5,
		one_off_revenue: 7,
	});
});

test('what is no number is sent as it is, for the server to refuse', () => {
	assert.deepEqual(sent('createDeal', { additionalFields: { value: '12k' } }), { value: '12k' });
});

test('a number where text is wanted is text', () => {
	assert.deepEqual(sent('createDeal', { title: 2027, company_name: 'Acme' }), { title: '2027', company_name: 'Acme' });
});

test('a list is entered with commas or given by an expression', () => {
	for (const task_ids of ['t1, t2,,', ['t1', ' t2 ']]) {
		assert.deepEqual(sent('bulkUpdateTasks', { task_ids, updates: { status: 'open' } }), {
			task_ids: ['t1', 't2'],
			updates: { status: 'open' },
		});
	}
});

test('fields that belong together are entered together or given by an expression', () => {
	const date_range = { start: 'today', end: '+2_weeks' };
	assert.deepEqual(sent('searchDeals', { additionalFields: { date_range: { values: { ...date_range } } } }), {
		date_range,
	});
	assert.deepEqual(sent('searchDeals', { additionalFields: { date_range } }), { date_range });
	const follow_up = { values: { title: 'Ask again', due_in_days: 0 } };
	assert.deepEqual(sent('completeTask', { task_id: 't1', additionalFields: { follow_up } }), {
		task_id: 't1',
		follow_up: { title: 'Ask again', due_in_days: 0 },
	});
});

test('JSON is entered as text or given by an expression', () => {
	const activities = [{ type: 'call', description: 'Ring back', notes: '' }];
	for (const entered of [activities, JSON.stringify(activities)]) {
		assert.deepEqual(sent('bulkScheduleActivities', { activities: entered }), { activities });
	}
	const field_choices = { email: 'c2' };
	const additionalFields = { field_choices: '{"email": "c2"}' };
	assert.deepEqual(
		sent('mergeContacts', { primary_id: 'c1', duplicate_ids: 'c2', additionalFields }).field_choices,
		field_choices,
	);
});

test('what is no JSON is refused by the name of its field', () => {
	assert.throws(() => sent('bulkScheduleActivities', { activities: '[{' }), {
		name: 'BadArgument',
		message: 'activities is no JSON array or object: [{',
	});
});

test('an update sends what is filled, and null for what is to be cleared', () => {
	const updates = { title: 'Pilot', value: null, contact_id: picked('c1') };
	assert.deepEqual(sent('updateDeal', { deal_id: DEAL, updates, fieldsToClear: ['notes', 'expected_close_date'] }), {
		deal_id: DEAL,
		updates: { title: 'Pilot', contact_id: 'c1', notes: null, expected_close_date: null },
	});
	assert.deepEqual(sent('updateDeal', { deal_id: DEAL }), { deal_id: DEAL, updates: {} });
});

test('a list ends at its limit, unless everything is wanted', () => {
	assert.equal(wantedOf(operation('searchDeals'), from({ limit: 7 })), 7);
	assert.equal(wantedOf(operation('searchDeals'), from({ limit: 7, returnAll: true })), Infinity);
	assert.deepEqual(sent('searchDeals', { limit: 7, additionalFields: { cursor: 'next' } }), { cursor: 'next' });
});

test('arguments of another tool are those that are mapped', () => {
	const toolArguments = { mappingMode: 'defineBelow', value: { query: 'acme', kinds: null, limit: '' }, schema: [] };
	assert.deepEqual(mappedArguments(from({ toolArguments }), { query: 'x' }), { query: 'acme' });
	assert.deepEqual(mappedArguments(from({ toolArguments: { mappingMode: 'defineBelow', value: null } }), {}), {});
});

test('arguments of another tool may be those of the item with their names', () => {
	const toolArguments = { mappingMode: 'autoMapInputData', value: null, schema: [{ id: 'query' }, { id: 'limit' }] };
	assert.deepEqual(mappedArguments(from({ toolArguments }), { query: 'acme', of: 'another kind' }), { query: 'acme' });
});

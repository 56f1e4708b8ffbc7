import {describe, expect, it} from 'vitest';
import {valueProblems, withDefaults, type ValueSchema} from '../../../../../src/modes/controller/topology/value-schema.ts';

const texts = (value: unknown, schema: ValueSchema) => valueProblems(value, schema).map(({path, message}) => `${path.join('.')}: ${message}`);

describe('a value against the schema of a class variable', () => {
  it('fits when it is what the schema says', () => {
    expect(texts('small', {type: 'string', enum: ['small', 'large']})).toEqual([]);
    expect(texts(3, {type: 'integer', minimum: 1, maximum: 3})).toEqual([]);
    expect(texts({any: {thing: 1}}, {type: 'object', 'x-kubernetes-preserve-unknown-fields': true})).toEqual([]);
    expect(texts({a: 'x'}, {type: 'object', additionalProperties: {type: 'string'}})).toEqual([]);
    expect(texts('5', {'x-kubernetes-int-or-string': true})).toEqual([]);
  });

  it.each<[unknown, ValueSchema, string]>([
    ['3', {type: 'integer'}, ': is text; it must be a whole number'],
    [3.5, {type: 'integer'}, ': is the number 3.5; it must be a whole number'],
    [true, {type: 'string'}, ': is true; it must be text'],
    [null, {type: 'object'}, ': is empty; it must be a map'],
    ['smal', {type: 'string', enum: ['small', 'large']}, ': is smal; it must be small or large'],
    ['', {type: 'string', minLength: 1}, ': must have at least 1 characters'],
    ['äöü', {type: 'string', maxLength: 2}, ': has 3 characters; it must have at most 2'],
    ['5m', {type: 'string', pattern: '^[0-9]+s$'}, ': is 5m; it must match ^[0-9]+s$'],
    [0, {type: 'integer', minimum: 0, exclusiveMinimum: true}, ': is 0; it must be more than 0'],
    [65, {type: 'integer', maximum: 64}, ': is 65; it must be at most 64'],
    [[], {type: 'array', minItems: 1}, ': must have at least 1 items'],
    [['a', 'a'], {type: 'array', uniqueItems: true}, '1: is there twice: a'],
    [['a', 1], {type: 'array', items: {type: 'string'}}, '1: is the number 1; it must be text'],
    [{cpus: 1}, {type: 'object', properties: {cpu: {type: 'integer'}}, required: ['cpu']}, 'cpus: is no field of it'],
    [{}, {type: 'object', properties: {cpu: {type: 'integer'}}, required: ['cpu']}, 'cpu: is missing'],
    [{a: {b: 'x'}}, {type: 'object', properties: {a: {type: 'object', properties: {b: {type: 'boolean'}}}}}, 'a.b: is text; it must be true or false'],
    [1, {type: 'integer', not: {enum: [1]}}, ': is 1, which it must not be'],
  ])('%j is refused by %j', (value, schema, message) => {
    expect(texts(value, schema)).toEqual([message]);
  });

  it('tells everything that is wrong at once, with the nearest name', () => {
    const schema: ValueSchema = {type: 'object', properties: {cpu: {type: 'integer', maximum: 8}, disk: {type: 'string'}}};
    const problems = valueProblems({cpu: 9, disc: 'x'}, schema);
    expect(problems.map(({rule}) => rule)).toEqual(['range', 'unknown-key']);
    expect(problems[1]?.hint).toBe('Did you mean disk?');
  });

  it('takes a required field that has a default as given', () => {
    const schema: ValueSchema = {type: 'object', required: ['cpu'], properties: {cpu: {type: 'integer', default: 2}}};
    expect(texts({}, schema)).toEqual([]);
    expect(withDefaults({}, schema)).toEqual({cpu: 2});
  });

  it('leaves expressions that only Go understands to the server', () => {
    expect(texts('abc', {type: 'string', pattern: '(?i)^XYZ$'})).toEqual([]);
    expect(texts('abc', {type: 'string', pattern: '^[[:digit:]]+$'})).toEqual([]);
  });
});

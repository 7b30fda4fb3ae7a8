import type { BodyType } from './messages.js';
import { LONGEST_NAME, PROTOCOL_VERSION } from './version.js';

/*
 * Most messages are requests and ends without failures. Their forms are checked here by hand, in a tenth of the time that
 * the schemas take. The schemas decide: whatever is not sure here is checked with them, and a property test sees to it
 * that what is sure here has their form, and would come out of them as it is.
 */

type Fields = Readonly<Record<string, unknown>>;

const REQUEST_FIELDS = 15;
const ARGUMENTS_FIELDS = 1;
const TASK_FIELDS = 3;
const RESPONSE_FIELDS = 9;

/** Whether a body has its form, and nothing beside it. False: nobody knows yet. */
export function isSurely(type: BodyType, body: unknown): boolean {
  if (!isFields(body)) return false;
  if (type === 'RESPONSE') return isResponse(body);
  return type === 'REQUEST' && isRequest(body);
}

function isRequest(body: Fields): boolean {
  const { takesUp, action, task, arguments: given, events } = body;
  return (
    hasKey(body) &&
    typeof takesUp === 'boolean' &&
    isName(body['runId']) &&
    isName(body['atomId']) &&
    isShort(body['atom']) &&
    (action === 'execute' || action === 'revert') &&
    isCount(body['attempt'], 1) &&
    isFields(task) &&
    isName(task['name']) &&
    isShort(task['version']) &&
    typeof task['parameters'] === 'string' &&
    sizeOf(task) === TASK_FIELDS &&
    isFields(given) &&
    typeof given['values'] === 'string' &&
    sizeOf(given) === ARGUMENTS_FIELDS &&
    typeof body['idempotencyKey'] === 'string' &&
    Array.isArray(events) &&
    events.every((event) => typeof event === 'string') &&
    isCount(body['maxDeliveries'], 1) &&
    sizeOf(body) === REQUEST_FIELDS
  );
}

function isResponse(body: Fields): boolean {
  const { state, data } = body;
  return (
    hasKey(body) &&
    isName(body['workerId']) &&
    isCount(body['delivery'], 1) &&
    isCount(body['number'], 0) &&
    sizeOf(body) === RESPONSE_FIELDS &&
    isFields(data) &&
    ((state === 'SUCCESS' && typeof data['result'] === 'string' && sizeOf(data) === 1) ||
      (state === 'RUNNING' && sizeOf(data) === 0))
  );
}

function hasKey(body: Fields): boolean {
  return (
    body['version'] === PROTOCOL_VERSION &&
    isName(body['requestId']) &&
    isName(body['submission']) &&
    isCount(body['dispatch'], 1)
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME;
}

function isShort(value: unknown): boolean {
  return typeof value === 'string' && value.length <= LONGEST_NAME;
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** Of a value that was read from JSON: all of its fields are its own. */
function sizeOf(value: Fields): number {
  return Object.keys(value).length;
}

import type { BodyType } from './messages.js';
import { LONGEST_NAME, PROTOCOL_VERSION } from './version.js';

/*
 * The forms of all messages but those with failures, checked by hand: in a tenth of the time that the schemas take, and
 * without the time that it takes to import them. The schemas decide: whatever is not sure here is checked with them, and a
 * property test sees to it that what is sure here has their form, and would come out of them as it is.
 */

type Fields = Readonly<Record<string, unknown>>;

const REQUEST_FIELDS = 15;
const ARGUMENTS_FIELDS = 1;
const TASK_FIELDS = 3;
const SOLE_FIELDS = 2;
const RESPONSE_FIELDS = 9;
const HEARTBEAT_FIELDS = 4;
const KEY_FIELDS = 3;
const NOTICE_FIELDS = 9;
const LISTING_FIELDS = 2;
const BYE_FIELDS = 3;
const ADOPT_FIELDS = 2;

const CHECKS: Readonly<Record<BodyType, (body: Fields) => boolean>> = {
  REQUEST: isRequest,
  RESPONSE: isResponse,
  HEARTBEAT: isHeartbeat,
  ASK: (body) => isOurs(body) && sizeOf(body) === 1,
  NOTIFY: isNotice,
  BYE: (body) => isOurs(body) && isName(body['workerId']) && isName(body['topic']) && sizeOf(body) === BYE_FIELDS,
  // It has a failure.
  CANCEL: () => false,
  // Only what is signed has to be claimed.
  CLAIM: () => false,
  GRANT: () => false,
  ADOPT: (body) => isOurs(body) && areAll(body['requestIds'], isName) && sizeOf(body) === ADOPT_FIELDS,
};

/** Whether a body has its form, and nothing beside it. False: nobody knows yet. */
export function isSurely(type: BodyType, body: unknown): boolean {
  return isFields(body) && CHECKS[type](body);
}

function isRequest(body: Fields): boolean {
  const { takesUp, action, task, arguments: given, events } = body;
  return (
    isOurs(body) &&
    isKey(body) &&
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
    areAll(events, isText) &&
    isCount(body['maxDeliveries'], 1) &&
    sizeOf(body) === (body['sole'] === undefined ? REQUEST_FIELDS : REQUEST_FIELDS + 1) &&
    (body['sole'] === undefined || isSole(body['sole']))
  );
}

function isSole(sole: unknown): boolean {
  return isFields(sole) && isName(sole['workerId']) && isCount(sole['startedAt'], 0) && sizeOf(sole) === SOLE_FIELDS;
}

function isResponse(body: Fields): boolean {
  const { state, data } = body;
  return (
    isOurs(body) &&
    isKey(body) &&
    isName(body['workerId']) &&
    isCount(body['delivery'], 1) &&
    isCount(body['number'], 0) &&
    sizeOf(body) === RESPONSE_FIELDS &&
    isFields(data) &&
    ((state === 'SUCCESS' && isText(data['result']) && sizeOf(data) === 1) ||
      (state === 'EVENT' && isText(data['event_type']) && isText(data['details']) && sizeOf(data) === 2) ||
      (state === 'RUNNING' && sizeOf(data) === 0))
  );
}

function isHeartbeat(body: Fields): boolean {
  return (
    isOurs(body) &&
    isName(body['workerId']) &&
    isCount(body['beat'], 0) &&
    areAll(body['requests'], (each) => isFields(each) && isKey(each) && sizeOf(each) === KEY_FIELDS) &&
    sizeOf(body) === HEARTBEAT_FIELDS
  );
}

function isNotice(body: Fields): boolean {
  const { everyMs } = body;
  return (
    isOurs(body) &&
    isName(body['topic']) &&
    areAll(body['tasks'], isListing) &&
    isName(body['workerId']) &&
    isCount(body['capacity'], 1) &&
    isCount(body['inFlight'], 0) &&
    isCount(body['startedAt'], 0) &&
    isCount(body['number'], 0) &&
    typeof everyMs === 'number' &&
    everyMs > 0 &&
    everyMs < Infinity &&
    sizeOf(body) === NOTICE_FIELDS
  );
}

function isListing(value: unknown): boolean {
  return (
    isFields(value) &&
    isName(value['name']) &&
    areAll(value['versions'], (version) => version === null || isText(version)) &&
    sizeOf(value) === LISTING_FIELDS
  );
}

function isOurs(body: Fields): boolean {
  return body['version'] === PROTOCOL_VERSION;
}

function isKey(body: Fields): boolean {
  return isName(body['requestId']) && isName(body['submission']) && isCount(body['dispatch'], 1);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areAll(value: unknown, isOne: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
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

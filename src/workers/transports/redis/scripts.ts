import { createHash } from 'node:crypto';

/** A script, and the name by which a server that has run it before knows it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/*
 * What has to be one step at the server. The entries of a stream belong to who has them: an answer of somebody else,
 * who has lost them meanwhile, does nothing.
 *
 * KEYS[1] is the stream, ARGV[1] the group, ARGV[2] the consumer, ARGV[3] the entry. XACK does not ask who it is.
 */

const OWN = `
local own = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #own == 0 then return 0 end
`;

const REMOVE = `
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
redis.call('XDEL', KEYS[1], ARGV[3])
return 1
`;

/** ARGV from 3: entries that are dealt with. */
export const ACK = script(`
local removed = 0
for index = 3, #ARGV do
  local id = ARGV[index]
  if #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2]) > 0 then
    redis.call('XACK', KEYS[1], ARGV[1], id)
    removed = removed + redis.call('XDEL', KEYS[1], id)
  end
end
return removed
`);

/**
 * KEYS[2]: a mailbox. ARGV from 4: the fields of what is put there, if it is there, whoever has the entry by now: the
 * reader knows which replies are late. The entry is dealt with in the same moment.
 */
export const REPLY = script(`
local posted = redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', unpack(ARGV, 4))
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2]) > 0 then
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
  redis.call('XDEL', KEYS[1], ARGV[3])
end
return posted
`);

/**
 * ARGV[4]: how often it was given in all. It becomes a new entry: nobody waits for one that is pending. What somebody else
 * added to it is left out, as there may be more of it than `unpack` takes.
 */
export const RELEASE = script(`${OWN}
local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
if entry then
  local fields = {}
  for index = 1, #entry[2], 2 do fields[entry[2][index]] = entry[2][index + 1] end
  redis.call('XADD', KEYS[1], '*', 'properties', fields.properties, 'deliveries', ARGV[4], 'body', fields.body)
end
${REMOVE}`);

/** KEYS[2]: the dead letters. ARGV from 4: the fields that it has there. */
export const REJECT = script(`${OWN}
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 4))
${REMOVE}`);

/** ARGV from 3: entries that are being worked on. Shows that whoever has them is alive. */
export const KEEP = script(`
local kept = 0
for index = 3, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[index], ARGV[index], 1, ARGV[2]) > 0 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[index], 'JUSTID')
    kept = kept + 1
  end
end
return kept
`);

/** Forgets a consumer that has nothing. One that is there still comes back with its next read. */
export const FORGET = script(`
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
`);

/** KEYS[1]: the dead letters, KEYS[2]: the stream. ARGV[1]: the entry, ARGV[2]: whether the stream has to be there, from 3: fields. */
export const REVIVE = script(`
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
if ARGV[2] == '1' and redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
return redis.call('XDEL', KEYS[1], ARGV[1])
`);

/** KEYS[1]: a stream, which is removed when it has nothing: what somebody has is in it, too. */
export const REMOVE_EMPTY = script(`
if redis.call('XLEN', KEYS[1]) > 0 then return 0 end
return redis.call('DEL', KEYS[1])
`);

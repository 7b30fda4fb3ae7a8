import { InvalidFormatError } from '../../errors.js';
import { readRichText, writeRichText } from '../../rich-text.js';
import { abbreviate } from '../../value-place.js';
import type { Codec } from '../backend.js';
import { jsonCodec } from './json.js';

/** How a text begins, with the version of its form. No JSON begins so. */
const FORM = 'rich.1:';

/**
 * Keeps values with what JSON has no words for: undefined inside a value, NaN, infinities, -0, bigints, Map, Set, Date,
 * RegExp, URL, URLSearchParams, Buffer, ArrayBuffer and its views, holes, cycles, and objects that occur twice, which
 * come back as one. Texts that `jsonCodec` wrote are read as well.
 *
 * What comes back is what went in, or encoding throws with the path of the culprit: functions, symbols, objects of
 * other classes, and built-in objects with properties of their own. Two things are not kept: a view of a part of a
 * buffer comes back with that part as its buffer, and properties that were put on a typed array are lost.
 */
export const richCodec: Codec = {
  encode: (value) => FORM + writeRichText(value),
  decode(text) {
    if (!text.startsWith(FORM)) return jsonCodec.decode(text);
    try {
      return readRichText(text.slice(FORM.length));
    } catch (cause) {
      throw new InvalidFormatError(`What is stored is no text of the rich codec: ${abbreviate(text)}`, { cause });
    }
  },
};

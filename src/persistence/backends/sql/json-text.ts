import { InvalidFormatError } from '../../../errors.js';
import type { Codec } from '../../backend.js';
import { jsonCodec } from '../../codecs/json.js';

/** A codec for columns that take only JSON: what another one writes than JSON's own is kept as a JSON string. */
export function asJsonText(codec: Codec): Codec {
  if (codec === jsonCodec) return codec;
  return {
    ...(codec.keepsSecrets === undefined ? {} : { keepsSecrets: codec.keepsSecrets }),
    encode: (value) => JSON.stringify(codec.encode(value)),
    decode(text) {
      const inner = jsonCodec.decode(text);
      if (typeof inner === 'string') return codec.decode(inner);
      throw new InvalidFormatError(`What another codec wrote takes a JSON string, got ${typeof inner}`);
    },
  };
}

/** Short texts that another thread can read whenever it likes, without being woken for each. */

const HEAD_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;
const SLOT_BYTES = 512;
const LONGEST = SLOT_BYTES - HEAD_BYTES;
/** Where the head of a slot has its two numbers: how often it was changed, odd meanwhile, and the bytes of its text. */
const [CHANGES, LENGTH] = [0, 1];

/** Memory for so many texts. */
export function memoryForTexts(count: number): SharedArrayBuffer {
  return new SharedArrayBuffer(count * SLOT_BYTES);
}

/** The side that writes. There is one. */
export class SharedTexts {
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  readonly #free: number[];

  constructor(memory: SharedArrayBuffer) {
    this.#bytes = Buffer.from(memory);
    this.#words = new Int32Array(memory);
    this.#free = Array.from({ length: memory.byteLength / SLOT_BYTES }, (_, slot) => slot).reverse();
  }

  /** @returns the slot, or null when the text is too long or there is no room. */
  add(text: string): number | null {
    if (Buffer.byteLength(text) > LONGEST) return null;
    const slot = this.#free.pop();
    if (slot === undefined) return null;
    this.#change(slot, text);
    return slot;
  }

  remove(slot: number): void {
    this.#change(slot, '');
    this.#free.push(slot);
  }

  #change(slot: number, text: string): void {
    const head = (slot * SLOT_BYTES) / Int32Array.BYTES_PER_ELEMENT;
    Atomics.add(this.#words, head + CHANGES, 1);
    const length = this.#bytes.write(text, slot * SLOT_BYTES + HEAD_BYTES);
    Atomics.store(this.#words, head + LENGTH, length);
    Atomics.add(this.#words, head + CHANGES, 1);
  }
}

/** The texts that are there now. One that is being changed is left out: it is there the next time. */
export function textsIn(memory: SharedArrayBuffer): string[] {
  const texts: string[] = [];
  for (let slot = 0; slot < memory.byteLength / SLOT_BYTES; slot++) {
    const head = headOf(memory, slot);
    const before = Atomics.load(head, CHANGES);
    const length = Atomics.load(head, LENGTH);
    if (before % 2 !== 0 || length === 0) continue;
    const text = Buffer.from(memory, slot * SLOT_BYTES + HEAD_BYTES, length).toString();
    if (Atomics.load(head, CHANGES) === before) texts.push(text);
  }
  return texts;
}

function headOf(memory: SharedArrayBuffer, slot: number): Int32Array {
  return new Int32Array(memory, slot * SLOT_BYTES, 2);
}

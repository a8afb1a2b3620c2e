// The noise of srclib/sleep/stimulus.py, bit by bit: the seed sequence of NumPy, Philox 4x64, and what is drawn with it.

const POOL = 4; // words of a seed sequence

/** Return the words of 32 bits of a whole number >= 0, the lowest first. */
function words(number) {
  const found = [];
  for (let rest = BigInt(number); found.length === 0 || rest > 0n; rest >>= 32n) found.push(Number(rest & 0xffffffffn));
  return found;
}

/**
 * Return the first words of NumPy's SeedSequence(seeds[0], spawn_key=seeds[1:]), Uint32Array.
 * Source: M. E. O'Neill, "Developing a seed_seq Alternative", 2015, as NumPy has it.
 */
export function seedSequence(seeds, length) {
  const entropy = words(seeds[0]);
  const rest = seeds.slice(1).flatMap(words);
  while (rest.length > 0 && entropy.length < POOL) entropy.push(0);
  entropy.push(...rest);
  let constant = 0x43b0d7e5;
  const hashed = (value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  };
  const mixed = (x, y) => {
    const value = Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y);
    return value ^ (value >>> 16);
  };
  const pool = new Int32Array(POOL);
  for (let i = 0; i < POOL; i++) pool[i] = hashed(entropy[i] ?? 0);
  for (let from = 0; from < POOL; from++)
    for (let to = 0; to < POOL; to++) if (from !== to) pool[to] = mixed(pool[to], hashed(pool[from]));
  for (let from = POOL; from < entropy.length; from++)
    for (let to = 0; to < POOL; to++) pool[to] = mixed(pool[to], hashed(entropy[from]));
  constant = 0x8b51f9dd;
  return Uint32Array.from({ length }, (_, i) => {
    let value = pool[i % POOL] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  });
}

/** Write the product of two words, each in [0, 2^32), to `out`: its lower word, then its upper one. */
function multiply(a, b, out) {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16); // below 2^32
  const other = aLow * bHigh + (middle & 0xffff);
  out[0] = Math.imul(a, b);
  out[1] = aHigh * bHigh + (middle >>> 16) + (other >>> 16);
}

// Numbers of 64 bits, the lower word first.
const FACTORS = [
  [0xe14c6c93, 0xd2e7470e],
  [0x95121157, 0xca5a8263],
];
const STEPS = [
  [0x7f4a7c15, 0x9e3779b9],
  [0x84caa73b, 0xbb67ae85],
]; // of the key, from round to round
const ROUNDS = 10;

/** Numbers of 32 bits of NumPy's Philox, in the order in which NumPy's generators take them. */
export class Philox {
  /** seeds: whole numbers >= 0, the first one and the spawn key. */
  constructor(seeds) {
    this.key = seedSequence(seeds, 4);
    this.block = 0;
    this.numbers = new Uint32Array(8);
    this.at = 8;
    this.product = new Uint32Array(2);
    this.wide = new Uint32Array(4);
  }

  next() {
    if (this.at === 8) this.fill();
    return this.numbers[this.at++];
  }

  /** Write the product of a factor of 64 bits and two words to `wide`, the lowest word first. */
  multiplyWide(factor, low, high) {
    const { product, wide } = this;
    multiply(factor[0], low, product);
    wide[0] = product[0];
    let carry = product[1]; // of the second word, below 2^53 at all times
    let upper = 0;
    multiply(factor[0], high, product);
    carry += product[0];
    upper += product[1];
    multiply(factor[1], low, product);
    carry += product[0];
    upper += product[1];
    wide[1] = carry >>> 0;
    upper += carry >= 0x100000000 ? Math.floor(carry / 0x100000000) : 0;
    multiply(factor[1], high, product);
    upper += product[0];
    wide[2] = upper >>> 0;
    wide[3] = product[1] + Math.floor(upper / 0x100000000);
  }

  /** Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
  fill() {
    this.block += 1; // the counter is advanced before a block is made
    const { numbers, wide } = this;
    const key = Uint32Array.from(this.key);
    let [aLow, aHigh, bLow, bHigh, cLow, cHigh, dLow, dHigh] = [this.block, 0, 0, 0, 0, 0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      this.multiplyWide(FACTORS[1], cLow, cHigh);
      const [cLow0, cHigh0, cLow1, cHigh1] = [wide[0], wide[1], wide[2], wide[3]];
      this.multiplyWide(FACTORS[0], aLow, aHigh);
      aLow = (cLow1 ^ bLow ^ key[0]) >>> 0;
      aHigh = (cHigh1 ^ bHigh ^ key[1]) >>> 0;
      cLow = (wide[2] ^ dLow ^ key[2]) >>> 0;
      cHigh = (wide[3] ^ dHigh ^ key[3]) >>> 0;
      [bLow, bHigh, dLow, dHigh] = [cLow0, cHigh0, wide[0], wide[1]];
      for (const [half, step] of STEPS.entries()) {
        const low = key[2 * half] + step[0];
        key[2 * half] = low;
        key[2 * half + 1] += step[1] + (low > 0xffffffff ? 1 : 0);
      }
    }
    numbers.set([aLow, aHigh, bLow, bHigh, cLow, cHigh, dLow, dHigh]);
    this.at = 0;
  }

  /** Return a whole number below `end`, 1 <= end < 2^32, as NumPy's Generator.integers draws it (Lemire). */
  below(end) {
    if (end === 1) return 0;
    const { product } = this;
    multiply(this.next(), end, product);
    if (product[0] < end) {
      const threshold = (0x100000000 - end) % end;
      while (product[0] < threshold) multiply(this.next(), end, product);
    }
    return product[1];
  }
}

export class Stimulus {
  /**
   * The input spikes of one sleep, as `draw_input` in srclib/sleep/stimulus.py draws them.
   *
   * mean: (inputs,), each in [0, 1]. rows: steps times streams. gain: probability to spike of an input whose mean is 1.
   * seeds: whole numbers >= 0. window: side of the square shown in each row, or null. Throws RangeError.
   */
  constructor(mean, rows, gain, seeds, window) {
    const side = Math.round(Math.sqrt(mean.length));
    if (window !== null && (side * side !== mean.length || !(window >= 1 && window <= side)))
      throw new RangeError(`window = ${window} with ${mean.length} inputs: allowed is 1 to the side of a square image`);
    if (!(gain >= 0 && gain < Infinity)) throw new RangeError(`gain = ${gain}: allowed is a finite number >= 0`);
    this.philox = new Philox(seeds);
    this.limit = Float64Array.from(mean, (m) => Math.ceil(Math.min(1, gain * m) * 2 ** 32)); // a number below it spikes
    this.corner = new Int32Array(rows); // the first input that each row shows
    [this.height, this.width, this.stride] = window === null ? [1, mean.length, mean.length] : [window, window, side];
    if (window !== null) {
      for (let t = 0; t < rows; t++) this.corner[t] = this.philox.below(side - window + 1) * side;
      for (let t = 0; t < rows; t++) this.corner[t] += this.philox.below(side - window + 1);
    }
    this.row = 0;
  }

  /** Return the inputs that spike in the next row, ascending. */
  next() {
    const { limit, philox, width, stride } = this;
    const first = this.corner[this.row++];
    const spikes = [];
    for (let start = first; start < first + this.height * stride; start += stride) {
      for (let i = start; i < start + width; i++) if (limit[i] > 0 && philox.next() < limit[i]) spikes.push(i);
    }
    return spikes;
  }
}

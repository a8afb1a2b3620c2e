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

/** Return the upper word of the product of two words, each in [0, 2^32). All sums here are below 2^53, thus exact. */
function upper(a, b) {
  return Math.floor((a * (b >>> 16) + Math.floor((a * (b & 0xffff)) / 0x10000)) / 0x10000);
}

const WORD = 0x100000000;

// Numbers of 64 bits, the lower word first.
const FACTORS = [0xe14c6c93, 0xd2e7470e, 0x95121157, 0xca5a8263];
const STEPS = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn]; // of the key, from round to round
const ROUNDS = 10;

/** Numbers of 32 bits of NumPy's Philox, in the order in which NumPy's generators take them. */
export class Philox {
  /** seeds: whole numbers >= 0, the first one and the spawn key. */
  constructor(seeds) {
    const key = new BigUint64Array(seedSequence(seeds, 4).buffer);
    this.keys = new Uint32Array(4 * ROUNDS); // of every round, two of 64 bits
    const wide = new BigUint64Array(this.keys.buffer);
    for (let n = 0; n < wide.length; n++) wide[n] = key[n % 2] + BigInt(n >> 1) * STEPS[n % 2];
    this.block = 0;
    this.numbers = new Uint32Array(8);
    this.at = 8;
    this.wide = new Uint32Array(4);
  }

  next() {
    if (this.at === 8) this.fill();
    return this.numbers[this.at++];
  }

  /** Write the product of a factor and a number of 64 bits to `wide`, the lowest word first. */
  multiply(low, high, factor) {
    const { wide } = this;
    const factorLow = FACTORS[factor];
    const factorHigh = FACTORS[factor + 1];
    const second = upper(factorLow, low) + (Math.imul(factorLow, high) >>> 0) + (Math.imul(factorHigh, low) >>> 0);
    const third =
      upper(factorLow, high) +
      upper(factorHigh, low) +
      (Math.imul(factorHigh, high) >>> 0) +
      Math.floor(second / WORD);
    wide[0] = Math.imul(factorLow, low);
    wide[1] = second;
    wide[2] = third;
    wide[3] = upper(factorHigh, high) + Math.floor(third / WORD);
  }

  /** Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
  fill() {
    this.block += 1; // the counter is advanced before a block is made
    const { numbers, wide, keys } = this;
    numbers.fill(0);
    numbers[0] = this.block;
    for (let k = 0; k < keys.length; k += 4) {
      this.multiply(numbers[4], numbers[5], 2);
      const bLow = wide[0];
      const bHigh = wide[1];
      const aLow = wide[2] ^ numbers[2] ^ keys[k];
      const aHigh = wide[3] ^ numbers[3] ^ keys[k + 1];
      this.multiply(numbers[0], numbers[1], 0);
      numbers[4] = wide[2] ^ numbers[6] ^ keys[k + 2];
      numbers[5] = wide[3] ^ numbers[7] ^ keys[k + 3];
      numbers[6] = wide[0];
      numbers[7] = wide[1];
      numbers[0] = aLow;
      numbers[1] = aHigh;
      numbers[2] = bLow;
      numbers[3] = bHigh;
    }
    this.at = 0;
  }

  /** Return a whole number below `end`, 1 <= end < 2^32, as NumPy's Generator.integers draws it (Lemire). */
  below(end) {
    if (end === 1) return 0;
    const threshold = (WORD - end) % end;
    let number = this.next();
    while (Math.imul(number, end) >>> 0 < threshold) number = this.next();
    return upper(number, end);
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

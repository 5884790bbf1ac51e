// Chance that a seed decides: the same seed makes the same choices (not the same timing).
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }
  /** In [0, 1): mulberry32. */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(limit) {
    return Math.floor(this.next() * limit);
  }
  of(list) {
    return list[this.below(list.length)];
  }
  chance(share) {
    return this.next() < share;
  }
}

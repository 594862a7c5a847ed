const FIRST_CAPACITY = 8;

/** For how long charges can be taken back, in milliseconds. */
const TAKE_BACK_MS = 10_000;

/**
 * What has been charged to one lineage: instants in order, and how many charges at each. A ring of
 * plain numbers, 16 octets an instant, that grows by doubling and never shrinks.
 */
export class ChargeLog {
  /** The longest window asked of this log lately, in milliseconds: what is kept. */
  windowMs = 0;
  /** The highest limit asked of this log: older charges than its latest so many decide nothing. */
  most = 0;
  /** When {@link windowMs} was last asked, in milliseconds. */
  widestAtMs = 0;
  /** How many charges are kept. */
  total = 0;
  #times = new Float64Array(FIRST_CAPACITY);
  #counts = new Float64Array(FIRST_CAPACITY);
  #mask = FIRST_CAPACITY - 1;
  #head = 0;
  #size = 0;

  /** How many distinct instants are kept. */
  get size(): number {
    return this.#size;
  }

  /** The instant at a place, from 0, the oldest. */
  timeAt(place: number): number {
    return this.#times[(this.#head + place) & this.#mask] ?? 0;
  }

  /** How many charges stand at a place. */
  countAt(place: number): number {
    return this.#counts[(this.#head + place) & this.#mask] ?? 0;
  }

  /** Drops what is out of the kept window at an instant. */
  prune(nowMs: number): void {
    while (this.#size > 0 && (this.#times[this.#head] ?? 0) + this.windowMs <= nowMs) {
      this.#dropOldest();
    }
  }

  /** Adds charges at an instant, which need not be the latest. */
  add(timeMs: number, count: number, nowMs: number): void {
    if (this.#size > this.#mask) this.#makeRoom(nowMs);
    this.total += count;
    let place = this.#size;
    while (place > 0 && this.timeAt(place - 1) > timeMs) place -= 1;
    if (place > 0 && this.timeAt(place - 1) === timeMs) {
      this.#set(place - 1, timeMs, this.countAt(place - 1) + count);
      return;
    }
    for (let later = this.#size; later > place; later -= 1) {
      this.#set(later, this.timeAt(later - 1), this.countAt(later - 1));
    }
    this.#size += 1;
    this.#set(place, timeMs, count);
  }

  /** Takes back up to so many charges at an instant, which is not longer ago than 10 s. */
  remove(timeMs: number, count: number, nowMs: number): void {
    if (timeMs + TAKE_BACK_MS <= nowMs) return;
    for (let place = this.#size - 1; place >= 0; place -= 1) {
      if (this.timeAt(place) !== timeMs) continue;
      const taken = Math.min(count, this.countAt(place));
      // A place may be left with no charges: it goes when it is pruned.
      this.#set(place, timeMs, this.countAt(place) - taken);
      this.total -= taken;
      return;
    }
  }

  #set(place: number, timeMs: number, count: number): void {
    const index = (this.#head + place) & this.#mask;
    this.#times[index] = timeMs;
    this.#counts[index] = count;
  }

  #dropOldest(): void {
    this.total -= this.#counts[this.#head] ?? 0;
    this.#head = (this.#head + 1) & this.#mask;
    this.#size -= 1;
  }

  /**
   * Forgets charges that are older than the latest `most`, which alone decide; grows where that is
   * not enough. What may still be taken back is not counted on.
   */
  #makeRoom(nowMs: number): void {
    let lasting = this.total;
    for (let place = this.#size - 1; place >= 0; place -= 1) {
      if (this.timeAt(place) + TAKE_BACK_MS <= nowMs) break;
      lasting -= this.countAt(place);
    }
    while (this.#size > 0 && lasting - this.countAt(0) >= this.most) {
      lasting -= this.countAt(0);
      this.#dropOldest();
    }
    if (2 * this.#size > this.#mask) this.#grow();
  }

  #grow(): void {
    const capacity = 2 * this.#times.length;
    const [times, counts] = [new Float64Array(capacity), new Float64Array(capacity)];
    for (let place = 0; place < this.#size; place += 1) {
      times[place] = this.timeAt(place);
      counts[place] = this.countAt(place);
    }
    this.#times = times;
    this.#counts = counts;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}

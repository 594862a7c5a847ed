/** Numbers of a place in the ring: its instant, and how many charges stand there. */
const STRIDE = 2;
const FIRST_PLACES = 8;

/** For how long charges can be taken back, in milliseconds. */
const TAKE_BACK_MS = 10_000;

/**
 * What has been charged to one lineage: instants in order, and how many charges at each, never none.
 * A ring of plain numbers, 16 octets an instant, that grows by doubling and never shrinks.
 *
 * What nearly every charge asks for stands beside the ring: with many lineages a look into one is a
 * look into slow memory.
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
  #oldestMs = Number.POSITIVE_INFINITY;
  #latestMs = Number.NEGATIVE_INFINITY;
  /** Charges at the latest instant that are not in the ring yet. */
  #unsettled = 0;
  #ring = new Float64Array(FIRST_PLACES * STRIDE);
  #mask = FIRST_PLACES * STRIDE - 1;
  #head = 0;
  #size = 0;

  /** How many distinct instants are kept. */
  get size(): number {
    return this.#size;
  }

  /** The oldest instant; infinite where none is kept. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  /** The instant at a place, from 0, the oldest. */
  timeAt(place: number): number {
    return this.#ring[this.#indexOf(place)] ?? 0;
  }

  /** How many charges stand at a place. */
  countAt(place: number): number {
    const settled = this.#ring[this.#indexOf(place) + 1] ?? 0;
    return place === this.#size - 1 ? settled + this.#unsettled : settled;
  }

  /** Drops what is out of the kept window at an instant. */
  prune(nowMs: number): void {
    while (this.#oldestMs + this.windowMs <= nowMs) this.#dropOldest();
  }

  /** Adds charges at an instant, which need not be the latest. */
  add(timeMs: number, count: number, nowMs: number): void {
    if (timeMs === this.#latestMs) {
      this.#unsettled += count;
      this.total += count;
      return;
    }
    this.#settle();
    if (STRIDE * this.#size > this.#mask) this.#makeRoom(nowMs);
    this.total += count;
    let place = this.#size;
    while (place > 0 && this.timeAt(place - 1) > timeMs) place -= 1;
    if (place > 0 && this.timeAt(place - 1) === timeMs) {
      this.#set(place - 1, timeMs, this.countAt(place - 1) + count);
      return;
    }
    for (let later = this.#size; later > place; later -= 1) this.#copy(later - 1, later);
    this.#size += 1;
    this.#set(place, timeMs, count);
    this.#noteEnds();
  }

  /** Takes back up to so many charges at an instant, which is not longer ago than 10 s. */
  remove(timeMs: number, count: number, nowMs: number): void {
    if (timeMs + TAKE_BACK_MS <= nowMs) return;
    this.#settle();
    for (let place = this.#size - 1; place >= 0; place -= 1) {
      if (this.timeAt(place) !== timeMs) continue;
      const left = Math.max(this.countAt(place) - count, 0);
      this.total -= this.countAt(place) - left;
      if (left > 0) this.#set(place, timeMs, left);
      else this.#removePlace(place);
      return;
    }
  }

  #indexOf(place: number): number {
    return (this.#head + STRIDE * place) & this.#mask;
  }

  #set(place: number, timeMs: number, count: number): void {
    const index = this.#indexOf(place);
    this.#ring[index] = timeMs;
    this.#ring[index + 1] = count;
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.timeAt(from), this.#ring[this.#indexOf(from) + 1] ?? 0);
  }

  /** Writes into the ring what it does not have yet. */
  #settle(): void {
    if (this.#unsettled === 0) return;
    const latest = this.#size - 1;
    this.#set(latest, this.#latestMs, this.countAt(latest));
    this.#unsettled = 0;
  }

  #noteEnds(): void {
    const isEmpty = this.#size === 0;
    this.#oldestMs = isEmpty ? Number.POSITIVE_INFINITY : this.timeAt(0);
    this.#latestMs = isEmpty ? Number.NEGATIVE_INFINITY : this.timeAt(this.#size - 1);
  }

  #dropOldest(): void {
    this.#settle();
    this.total -= this.countAt(0);
    this.#head = this.#indexOf(1);
    this.#size -= 1;
    this.#noteEnds();
  }

  #removePlace(place: number): void {
    this.#size -= 1;
    for (let later = place; later < this.#size; later += 1) this.#copy(later + 1, later);
    this.#noteEnds();
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
    if (2 * STRIDE * this.#size > this.#mask) this.#grow();
  }

  #grow(): void {
    const ring = new Float64Array(2 * this.#ring.length);
    const older = this.#ring.subarray(this.#head);
    ring.set(older);
    ring.set(this.#ring.subarray(0, this.#head), older.length);
    this.#ring = ring;
    this.#mask = ring.length - 1;
    this.#head = 0;
  }
}

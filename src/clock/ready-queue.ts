// The cores in the order of their next event: an indexed binary heap, ties broken by core id.

export class ReadyQueue {
  private readonly keys: Float64Array;
  private readonly heap: Int32Array;
  private readonly places: Int32Array;

  constructor(private readonly count: number) {
    this.keys = new Float64Array(count).fill(Infinity);
    this.heap = Int32Array.from({ length: count }, (_, core) => core);
    this.places = Int32Array.from({ length: count }, (_, core) => core);
  }

  /** The core that is next. */
  get first(): number {
    return this.heap[0]!;
  }

  cycleOf(core: number): number {
    return this.keys[core]!;
  }

  /** When the core after the first is due; Infinity if there is none. */
  get secondCycle(): number {
    const left = this.count > 1 ? this.keys[this.heap[1]!]! : Infinity;
    const right = this.count > 2 ? this.keys[this.heap[2]!]! : Infinity;
    return Math.min(left, right);
  }

  /** Sets when `core` is due. */
  update(core: number, cycle: number): void {
    const before = this.keys[core]!;
    if (cycle === before) return;
    this.keys[core] = cycle;
    if (cycle < before) this.rise(this.places[core]!);
    else this.sink(this.places[core]!);
  }

  private isBefore(a: number, b: number): boolean {
    const cycleOfA = this.keys[a]!;
    const cycleOfB = this.keys[b]!;
    return cycleOfA < cycleOfB || (cycleOfA === cycleOfB && a < b);
  }

  private rise(start: number): void {
    const core = this.heap[start]!;
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.isBefore(core, this.heap[parent]!)) break;
      this.put(place, this.heap[parent]!);
      place = parent;
    }
    this.put(place, core);
  }

  private sink(start: number): void {
    const core = this.heap[start]!;
    let place = start;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.count) break;
      if (child + 1 < this.count && this.isBefore(this.heap[child + 1]!, this.heap[child]!))
        child++;
      if (!this.isBefore(this.heap[child]!, core)) break;
      this.put(place, this.heap[child]!);
      place = child;
    }
    this.put(place, core);
  }

  private put(place: number, core: number): void {
    this.heap[place] = core;
    this.places[core] = place;
  }
}

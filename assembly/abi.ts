// What the host and the machine agree on. The host reads these as exported globals of the module,
// so that each number is written once. Codes only: layouts stay inside, except the order of the two
// blocks of f64 fields that the host writes (the description and the stream).

/** Bits of `accessKind`: 0 read, 1 write, 2 execute; plus USER_ACCESS for user mode, or LIFTED. */
export const READ: u32 = 0;
export const WRITE: u32 = 1;
export const EXECUTE: u32 = 2;
export const USER_ACCESS: u32 = 4;
/** SMAP does not apply: an explicit supervisor access with RFLAGS.AC set. */
export const LIFTED: u32 = 8;

/** Results of `access` and of a stream. */
export const ACCESS_FAULT: u32 = 0;
export const ACCESS_FIRST_LEVEL: u32 = 1;
export const ACCESS_SECOND_LEVEL: u32 = 2;
export const ACCESS_WALK: u32 = 3;
/** Added to one of the three above when a condemned entry was used. */
export const ACCESS_STALE: u32 = 4;

export const STREAM_DONE: u32 = 0;
export const STREAM_HORIZON: u32 = 1;
export const STREAM_FAULT: u32 = 2;
export const STREAM_STALE: u32 = 3;

/** Orders of a stream's elements. */
export const ORDER_SEQUENTIAL: u32 = 0;
export const ORDER_RANDOM: u32 = 1;
export const ORDER_CHASE: u32 = 2;
export const ORDER_LIST: u32 = 3;
export const LIST_PAGES: u32 = 512;

/** f64 fields of the stream block, in this order; the page list follows them. */
export const STREAM_BASE_PAGE: u32 = 0;
export const STREAM_STRIDE_BYTES: u32 = 1;
export const STREAM_STAGGER: u32 = 2;
export const STREAM_ELEMENTS: u32 = 3;
export const STREAM_ORDER: u32 = 4;
export const STREAM_KIND: u32 = 5;
export const STREAM_WRITE_PERCENT: u32 = 6;
export const STREAM_THINK_CYCLES: u32 = 7;
export const STREAM_POSITION: u32 = 8;
export const STREAM_REMAINING: u32 = 9;
export const STREAM_RANDOM: u32 = 10;
export const STREAM_PAGES: u32 = 11;
export const STREAM_FIELDS: u32 = STREAM_PAGES + LIST_PAGES;

/** f64 fields of the description, which `boot` reads one after the other. */
export const DESCRIPTION_FIELDS: u32 = 512;

/** Replacement policies of a set-associative array, as the description names them. */
export const REPLACE_LRU: u32 = 0;
export const REPLACE_TREE_PLRU: u32 = 1;
export const REPLACE_MRU_PLUS_ONE_PLRU: u32 = 2;
export const REPLACE_FIFO: u32 = 3;

/** Distance classes between two cores. */
export const DISTANCE_SELF: u32 = 0;
export const DISTANCE_SAME_LLC: u32 = 1;
export const DISTANCE_SAME_SOCKET: u32 = 2;
export const DISTANCE_ONE_HOP: u32 = 3;
export const DISTANCE_TWO_HOPS: u32 = 4;

/** Error code of a page fault (SDM 3A 4.7, figure 4-12). */
export const ERROR_PRESENT: u32 = 1;
export const ERROR_WRITE: u32 = 2;
export const ERROR_USER: u32 = 4;
export const ERROR_RESERVED: u32 = 8;
export const ERROR_INSTRUCTION: u32 = 16;

export const ERROR_KEY: u32 = 32;

export const VECTOR_INVALID_OPCODE: u32 = 6;
export const VECTOR_GENERAL_PROTECTION: u32 = 13;
export const VECTOR_PAGE_FAULT: u32 = 14;

/** Control registers, as the host names them. */
export const REGISTER_CR0: u32 = 0;
export const REGISTER_CR3: u32 = 1;
export const REGISTER_CR4: u32 = 2;
export const REGISTER_EFER: u32 = 3;
export const REGISTER_PKRU: u32 = 4;
export const REGISTER_PKRS: u32 = 5;

/** What INVLPGB invalidates; the first four numbers are INVPCID's types of the same extent. */
export const BROADCAST_PAGES: u32 = 0;
export const BROADCAST_PCID: u32 = 1;
export const BROADCAST_ALL: u32 = 2;
export const BROADCAST_ALL_BUT_GLOBALS: u32 = 3;
export const BROADCAST_PAGES_OF_ALL: u32 = 4;

/** Answers of `reachesTable`. */
export const REACHED_BY_ROOT: u32 = 1;
export const REACHED_BY_CURRENT_PCID: u32 = 2;
export const REACHED_BY_OTHER_PCID: u32 = 4;

/** Counters of a core, by index. First-level hits are accesses less the next two. */
export const COUNTER_ACCESSES: u32 = 0;
export const COUNTER_SECOND_LEVEL_HITS: u32 = 1;
export const COUNTER_WALKS: u32 = 2;
export const COUNTER_WALK_CYCLES: u32 = 3;
export const COUNTER_WALK_LOADS: u32 = 4;
export const COUNTER_DIRTY_WALKS: u32 = 5;
export const COUNTER_FAULTS: u32 = 6;
export const COUNTER_STALE_USES: u32 = 7;
export const COUNTER_CR3_WRITES: u32 = 8;
export const COUNTER_CR3_FLUSHES: u32 = 9;
export const COUNTER_CR4_WRITES: u32 = 10;
export const COUNTER_INVLPGS: u32 = 11;
export const COUNTER_INVPCIDS: u32 = 12;
export const COUNTER_IPIS_SENT: u32 = 13;
export const COUNTER_INTERRUPTS_TAKEN: u32 = 14;
export const COUNTER_LINE_TRANSFERS: u32 = 15;
export const COUNTER_LINE_WAIT_CYCLES: u32 = 16;
export const COUNTER_DRAIN_WAIT_CYCLES: u32 = 17;
export const COUNTER_INVLPGBS: u32 = 18;
export const COUNTERS: u32 = 19;

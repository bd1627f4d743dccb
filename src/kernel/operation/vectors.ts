// arch/x86/include/asm/irq_vectors.h: the interrupt vectors that CPUs send each other here, and the
// timer's.

export const RESCHEDULE_VECTOR = 0xfd;
export const CALL_FUNCTION_VECTOR = 0xfc;
export const CALL_FUNCTION_SINGLE_VECTOR = 0xfb;
/** FreeBSD's IPI_INVLOP: a protocol's own interrupt. */
export const INVALIDATE_VECTOR = 0xf5;
/** LOCAL_TIMER_VECTOR */
export const TIMER_VECTOR = 0xec;

// Interrupts between cores: when they arrive, which is taken first, and what ends them.

import { expect, test } from "vitest";
import { Machine } from "../../src/machine/machine.ts";
import { MACHINE } from "./describe.ts";

const { instruction, ipiDeliveryCycles } = MACHINE;
const CALL = 0xfb;
const RESCHEDULE = 0xfd;
const LOW = 0x31;
const LATER = 100_000;

test("an interrupt arrives after the ICR write and a latency by distance", () => {
  const machine = new Machine(MACHINE);
  machine.sendIpi(0, 1, CALL);
  expect(machine.now(0)).toBe(instruction.writeIcr);
  expect(machine.nextInterrupt(1)).toBe(instruction.writeIcr + ipiDeliveryCycles.sameSocket);
  machine.sendIpi(0, 2, CALL);
  expect(machine.nextInterrupt(2)).toBe(2 * instruction.writeIcr + ipiDeliveryCycles.oneHop);
  expect(machine.nextInterrupt(3)).toBe(Infinity);
  expect(machine.smallestIpiLatency).toBe(ipiDeliveryCycles.sameLlc);
});

test("one ICR write can send to several", () => {
  const machine = new Machine(MACHINE);
  machine.writeIcr(0);
  for (const target of [1, 2, 3]) machine.deliverIpi(0, target, CALL);
  expect(machine.now(0)).toBe(instruction.writeIcr);
  expect(machine.counters(0).ipisSent).toBe(3);
});

test("an interrupt is not taken before it has arrived", () => {
  const machine = new Machine(MACHINE);
  machine.sendIpi(0, 1, CALL);
  expect(machine.acceptInterrupt(1)).toBe(-1);
  machine.advanceTo(1, machine.nextInterrupt(1));
  expect(machine.acceptInterrupt(1)).toBe(CALL);
  expect(machine.nextInterrupt(1)).toBe(Infinity);
});

test("taking one clears the interrupt flag and costs its entry, IRET sets it again", () => {
  const machine = new Machine(MACHINE);
  machine.setInterruptFlag(1, true);
  machine.sendIpi(0, 1, CALL);
  machine.advanceTo(1, LATER);
  machine.acceptInterrupt(1);
  expect(machine.now(1)).toBe(LATER + instruction.interruptEntry);
  expect(machine.interruptFlag(1)).toBe(false);
  machine.endOfInterrupt(1);
  machine.iret(1);
  expect(machine.interruptFlag(1)).toBe(true);
  const handled = instruction.interruptEntry + instruction.endOfInterrupt + instruction.iret;
  expect(machine.now(1)).toBe(LATER + handled);
});

test("the highest vector that has arrived is taken first", () => {
  const machine = new Machine(MACHINE);
  for (const vector of [LOW, RESCHEDULE, CALL]) machine.sendIpi(0, 1, vector);
  machine.advanceTo(1, LATER);
  expect(machine.acceptInterrupt(1)).toBe(RESCHEDULE);
});

test("a vector of the class in service, or below, waits for its end", () => {
  const machine = new Machine(MACHINE);
  for (const vector of [CALL, RESCHEDULE, LOW]) machine.sendIpi(0, 1, vector);
  machine.advanceTo(1, LATER);
  expect(machine.acceptInterrupt(1)).toBe(RESCHEDULE);
  expect(machine.nextInterrupt(1)).toBe(Infinity);
  expect(machine.acceptInterrupt(1)).toBe(-1);
  machine.endOfInterrupt(1);
  expect(machine.acceptInterrupt(1)).toBe(CALL);
  machine.endOfInterrupt(1);
  expect(machine.acceptInterrupt(1)).toBe(LOW);
});

test("a vector of a higher class interrupts the one in service", () => {
  const machine = new Machine(MACHINE);
  machine.sendIpi(0, 1, LOW);
  machine.advanceTo(1, LATER);
  expect(machine.acceptInterrupt(1)).toBe(LOW);
  machine.sendIpi(0, 1, CALL);
  machine.advanceTo(1, 2 * LATER);
  expect(machine.acceptInterrupt(1)).toBe(CALL);
  machine.endOfInterrupt(1);
  machine.sendIpi(0, 1, 0x32);
  expect(machine.nextInterrupt(1)).toBe(Infinity);
  machine.endOfInterrupt(1);
  expect(machine.nextInterrupt(1)).toBeLessThan(Infinity);
});

test("a vector sent again while it is pending is one interrupt, at the earlier time", () => {
  const machine = new Machine(MACHINE);
  machine.sendIpi(0, 1, CALL);
  const first = machine.nextInterrupt(1);
  machine.sendIpi(0, 1, CALL);
  machine.sendIpi(2, 1, CALL);
  expect(machine.nextInterrupt(1)).toBe(first);
  machine.advanceTo(1, LATER);
  expect([machine.acceptInterrupt(1), machine.acceptInterrupt(1)]).toEqual([CALL, -1]);
  machine.endOfInterrupt(1);
  expect(machine.acceptInterrupt(1)).toBe(-1);
});

test("a core can interrupt itself", () => {
  const machine = new Machine(MACHINE);
  machine.sendIpi(0, 0, CALL);
  machine.advanceTo(0, LATER);
  expect(machine.acceptInterrupt(0)).toBe(CALL);
});

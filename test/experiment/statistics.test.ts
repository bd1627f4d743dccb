import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distributionOf, intervalOf, rounded } from "../../src/experiment/statistics.ts";

describe("a distribution", () => {
  test("of 1 to 100", () => {
    const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(distributionOf(samples)).toEqual({ mean: 50.5, p50: 50.5, p99: 99.01, max: 100 });
  });

  test("of nothing is zero, of one sample is that sample", () => {
    expect(distributionOf([])).toEqual({ mean: 0, p50: 0, p99: 0, max: 0 });
    expect(distributionOf([7])).toEqual({ mean: 7, p50: 7, p99: 7, max: 7 });
  });

  test("does not depend on the order of the samples", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1e9), { minLength: 1 }), (samples) => {
        expect(distributionOf(samples.toReversed())).toEqual(distributionOf(samples));
      }),
    );
  });
});

describe("an interval over seeds", () => {
  test("is Student's: 1, 2, 3 has a mean of 2 plus or minus 4.303 / sqrt 3", () => {
    expect(intervalOf([1, 2, 3])).toEqual({ low: -0.484, high: 4.484 });
  });

  test("is absent for one seed and a point for equal ones", () => {
    expect(intervalOf([1])).toBeUndefined();
    expect(intervalOf([4, 4])).toEqual({ low: 4, high: 4 });
  });
});

test("numbers are rounded to three decimals and whole ones kept", () => {
  expect([rounded(0.1 + 0.2), rounded(1 / 3), rounded(2 ** 52)]).toEqual([0.3, 0.333, 2 ** 52]);
});

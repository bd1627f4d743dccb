// Random programs for property tests. They come from the generator that the nightly run uses, fed
// with fast-check's numbers, and shrink as that run shrinks them.

import fc from "fast-check";
import { generateProgram } from "../../../src/verify/programs/generate-program.ts";
import type { Program } from "../../../src/verify/programs/random-program.ts";
import { smaller } from "../../../src/verify/programs/smaller.ts";

class ProgramArbitrary extends fc.Arbitrary<Program> {
  generate(numbers: fc.Random): fc.Value<Program> {
    const program = generateProgram({
      word: () => numbers.nextInt(0, 0xffff_ffff),
      below: (limit) => numbers.nextInt(0, limit - 1),
    });
    return new fc.Value(program, undefined);
  }

  canShrinkWithoutContext(value: unknown): value is Program {
    return typeof value === "object" && value !== null && "steps" in value;
  }

  shrink(program: Program): fc.Stream<fc.Value<Program>> {
    return fc.stream(smaller(program)).map((less) => new fc.Value(less, undefined));
  }
}

export const anyProgram = (): fc.Arbitrary<Program> => new ProgramArbitrary();

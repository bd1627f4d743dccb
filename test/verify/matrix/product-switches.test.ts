// The whole product in workloads of tasks that take turns on a CPU.

import { describeProduct } from "./product-slice.ts";

describeProduct("switches");

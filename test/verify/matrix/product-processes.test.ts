// The whole product in workloads of processes that come and go.

import { describeProduct } from "./product-slice.ts";

describeProduct("processes");

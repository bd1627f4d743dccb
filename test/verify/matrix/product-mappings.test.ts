// The whole product in workloads of changes of mappings, and what no other file has.

import { describeProduct } from "./product-slice.ts";

describeProduct("mappings");

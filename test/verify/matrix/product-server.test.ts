// The whole product in the workload server, which takes as long as several others.

import { describeProduct } from "./product-slice.ts";

describeProduct("server");

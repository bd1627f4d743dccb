import { describePart } from "./product-slice.ts";

describePart(0);

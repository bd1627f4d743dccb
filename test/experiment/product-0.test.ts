import { describePart } from "./product.ts";

describePart(0);

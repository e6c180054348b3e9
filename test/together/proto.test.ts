import { together } from "./together.ts";

together("proto", "runtime");

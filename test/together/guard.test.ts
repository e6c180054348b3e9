import { together } from "./together.ts";

together("guard", "docs");

import { together } from "./together.ts";

together("pki", "policy", "properties");

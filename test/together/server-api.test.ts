import { together } from "./together.ts";

together("server/api", "server/audit", "server/ca");

import { together } from "./together.ts";

together("agent/cache", "agent/guard", "agent/link", "agent/workload-api");

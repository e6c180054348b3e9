import { together } from "./together.ts";

together("server/oauth", "server/registry", "server/revocation", "server/store", "server/tasks");

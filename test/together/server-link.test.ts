import { together } from "./together.ts";

together(
  "server/documents",
  "server/edge",
  "server/entries",
  "server/federation",
  "server/keymanager",
  "server/ledger",
  "server/link",
);

// `npm run demo:tasks`: an AI agent's piece of work, from its beginning to its end, on real processes. A task is
// opened, a tool used, a forbidden one refused and written down; the agent is killed, and everything it had,
// also what was stolen from it, is refused within a second. Then the audit log is read, verified, and one byte
// of a copy flipped. It ends by itself, with 0 if all of it held.
import { rmSync } from "node:fs";
import { hasEscalation, readTree, verifyFiles } from "./read-audit.ts";
import { say } from "./say.ts";
import { Site } from "./site.ts";
import { Thief } from "./thief.ts";

const LIMIT_MS = 1000;

async function run(site: Site): Promise<boolean> {
  say("Signet: identities that end when the work ends");
  say("");
  await site.start();
  say("1. A server, a node agent and an MCP ticket server behind the guard run. Applied:");
  say(site.applied, "   ");

  const { researcher, tickets } = await site.startWorkloads();
  const opened = await researcher.next("opened");
  say(`2. The researcher opened a task for Alice, "triage ticket 42":`);
  say(`identity   ${opened.spiffeId}`, "   ");
  say(`mandate    ${opened.actions.join(", ")} at ${opened.locations.join(", ")}`, "   ");
  say(`ends       ${opened.expiresAt}; its certificate ${opened.certificateUntil}`, "   ");
  const { names } = await researcher.next("tools");
  say(`3. Of the ticket server's tools it sees what its mandate covers: ${names.join(", ")}.`);
  researcher.tell("read_ticket 42");
  const read = await researcher.next("called");
  say(`   read_ticket 42    allowed: "${read.text}"`);
  researcher.tell("delete_ticket 42");
  const refused = await researcher.next("refused");
  say(`   delete_ticket 42  refused: ${refused.why}`);

  const thief = new Thief(site, await researcher.next("secrets"));
  say(
    "4. A thief took its key, its certificate and an access token. While the task runs they are good:",
  );
  const [byCertificate, byToken, status] = await thief.use();
  say(`   with the certificate  "${byCertificate}"`);
  say(`   with the token        "${byToken}"`);
  say(`   status list           ${status}`);
  const began = performance.now();
  process.kill(opened.pid, "SIGKILL");
  const refusals = await thief.untilRefused(began);
  say("   Then the researcher was killed (kill -9). Refused since then:");
  for (const { what, afterMs, how } of refusals) {
    say(`   ${`${Math.round(afterMs)} ms`.padStart(8)}  ${what}: ${how}`);
  }
  const inTime = refusals.every(({ afterMs }) => afterMs < LIMIT_MS);
  say(inTime ? "   Everything within a second." : "   NOT everything within a second.");

  say("5. What the audit log says of it:");
  const tree = await readTree(site, opened.id);
  say(tree);
  await tickets.stop();
  await site.stop();
  say("6. Everything is stopped. What signet audit verify says of the files:");
  const audit = verifyFiles(site, opened.id);
  say(audit.said, "   ");
  say("   Of a copy in which one byte was flipped:");
  say(audit.flipped.said, "   ");

  const ok =
    names.includes("read_ticket") &&
    !names.includes("delete_ticket") &&
    inTime &&
    audit.isIntact &&
    hasEscalation(tree) &&
    audit.flipped.isFound;
  say("");
  say(ok ? "All held." : "Something did NOT hold: see above.");
  return ok;
}

const site = new Site();
try {
  process.exitCode = (await run(site)) ? 0 : 1;
} finally {
  await site.stop();
  rmSync(site.dir, { recursive: true, force: true });
}

// How task classes are shown.

import { codecOf, type signet } from "../proto/schema.gen.ts";
import { formatDuration } from "../runtime/duration.ts";
import { formatSet, mandateRows } from "./mandate-output.ts";
import { formatRecord, formatTable } from "./output.ts";

type TaskClass = signet.registry.v1.TaskClass;

/** As JSON. */
export function taskClassToJson(taskClass: TaskClass): Record<string, unknown> {
  return codecOf("signet.registry.v1.TaskClass").toJson(taskClass);
}

/** A line for each. */
export function formatTaskClasses(classes: readonly TaskClass[]): string {
  const rows = classes.map((one) => [
    one.name,
    formatSet(one.maximum?.actions).replaceAll("\n", " "),
    formatSeconds(one.defaultTtlSeconds),
    formatSeconds(one.maxTtlSeconds),
    one.openedBy,
    madeBy(one),
  ]);
  return formatTable(["NAME", "ACTIONS", "TTL", "MAX. TTL", "OPENED BY", "MADE BY"], rows);
}

/** All there is to say of one. */
export function formatTaskClass(one: TaskClass): string {
  const rows: [string, string][] = [["Name", one.name]];
  if (one.description !== "") rows.push(["Description", one.description]);
  rows.push(
    ["Made by", madeBy(one)],
    [
      "Lifetime",
      `${formatSeconds(one.defaultTtlSeconds)}, at most ${formatSeconds(one.maxTtlSeconds)}`,
    ],
    ["Idle timeout", one.idleTimeoutSeconds === 0 ? "none" : formatSeconds(one.idleTimeoutSeconds)],
    ["X509-SVID TTL", formatSeconds(one.x509SvidTtlSeconds)],
    ["JWT-SVID TTL", formatSeconds(one.jwtSvidTtlSeconds)],
    ["Access token TTL", formatSeconds(one.accessTokenTtlSeconds)],
    ["Opened by", one.openedBy === "operator" ? "operators alone" : "AI agents"],
    ["Held by", one.requireAttested ? "its AI agent's own processes" : "its AI agent, or a host"],
    ["Ends with", one.bind === "process" ? "its process" : "no process"],
    ["Proof of possession", one.requirePop ? "always" : "where a token is bound to a key"],
    ["While guards hear nothing", one.failMode === "closed" ? "refused" : "good for its lifetime"],
    ["Identity", one.identity === "agent" ? "the AI agent's" : "the task's"],
  );
  if (one.allowClip) rows.push(["Asked for too much", "gets what may be had, if it allows that"]);
  const reactions = Object.entries(one.reactions).map(([kind, what]) => `${kind}: ${what}`);
  if (reactions.length > 0) rows.push(["Reactions", reactions.join("\n")]);
  if (one.owner !== "") rows.push(["Owner", one.owner]);
  const labels = Object.entries(one.labels).map(([name, value]) => `${name}=${value}`);
  if (labels.length > 0) rows.push(["Labels", labels.join("\n")]);
  return `${formatRecord(rows)}\n\nIts tasks may get at most\n${formatRecord(mandateRows(one.maximum))}`;
}

function madeBy({ shipped, version, managedBy }: TaskClass): string {
  if (shipped && Number(version) === 0) return "signet";
  const who = managedBy === "" ? "hand" : `set ${managedBy}`;
  return shipped ? `${who}, over signet's` : who;
}

function formatSeconds(seconds: number): string {
  return formatDuration(seconds * 1000);
}
